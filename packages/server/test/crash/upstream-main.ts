/**
 * The upstream of the crash tests as a process of its own: answers as the marker of a call says, and records each call twice,
 * when it was read (`--arrivals`) and when its answer was over (`--served`).
 */
import { openSync, writeSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { startScriptedUpstream, type UpstreamBehaviour, type UpstreamCall } from '@holdfast/kit/testing';
import type { UpstreamArrival } from './evidence.ts';
import { readMarker } from './marker.ts';
import { chatModels, type FromUpstream } from './messages.ts';

const { values } = parseArgs({ options: { arrivals: { type: 'string' }, served: { type: 'string' } } });
const arrivals = openSync(values.arrivals!, 'a');
const upstream = await startScriptedUpstream({ recordFile: values.served!, keepCalls: 2_000 });
for (const model of Object.values(chatModels)) upstream.script(model, behave);

function behave(call: UpstreamCall): UpstreamBehaviour {
  const marker = readMarker(call.marker ?? '');
  if (!marker) throw new TypeError(`no marker: ${call.marker}`);
  const { promptTokens, chunks, spacingMs, delayMs, errorStatus, cutAfter } = marker.answer;
  const line: UpstreamArrival = {
    marker: call.marker!,
    atMs: call.receivedAtMs,
    model: call.model!,
    promptTokens,
    completionTokens: chunks,
  };
  writeSync(arrivals, `${JSON.stringify(line)}\n`);
  if (errorStatus !== undefined) return { kind: 'error', status: errorStatus, headersDelayMs: delayMs };
  return { promptTokens, chunks, spacingMs, firstTokenDelayMs: delayMs, ...(cutAfter !== undefined && { cutAfter }) };
}

function tell(message: FromUpstream): void {
  process.send!(message);
}

/** The server that was killed has left calls behind: they are over when their connections are. */
process.on('message', () => {
  void upstream
    .waitFor((calls) => calls.every((call) => call.outcome !== 'open'))
    // The line of a call is written when its connection has closed, just after.
    .then(() => setTimeout(() => tell({ kind: 'settled' }), 20));
});
process.on('disconnect', () => process.exit(0));
tell({ kind: 'listening', url: upstream.url });
