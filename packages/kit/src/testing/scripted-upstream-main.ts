/**
 * The scripted upstream as a process of its own, for benchmarks and crash tests:
 *
 *     node --conditions=dev-source packages/kit/src/testing/scripted-upstream-main.ts --port 0 --record calls.jsonl
 *
 * Prints its URL on one line when it listens. Behaviour is chosen by the model name (`paced?chunks=64&spacingMs=20`).
 */
import { parseArgs } from 'node:util';
import { startScriptedUpstream } from './upstream/index.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    host: { type: 'string', default: '127.0.0.1' },
    /** Appends a JSON line for every answered call to this file. */
    record: { type: 'string' },
  },
});
const upstream = await startScriptedUpstream({
  port: Number(values.port),
  host: values.host,
  keepCalls: 0,
  ...(values.record === undefined ? {} : { recordFile: values.record }),
});
process.stdout.write(`${upstream.url}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void upstream.close().then(() => process.exit(0)));
}
