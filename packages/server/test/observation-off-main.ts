import { registerHooks } from 'node:module';

/**
 * Loads the whole server, opens what would trace and report with a configuration that wants neither, and then with one that wants both. Prints
 * which foreign modules were loaded by either.
 */
const loaded = new Set<string>();
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    loaded.add(resolved.url);
    return resolved;
  },
});
const watched = (): string[] => [
  ...new Set([...loaded].flatMap((url) => /node_modules\/(@opentelemetry\/[^/]+|@sentry\/[^/]+)\//.exec(url)?.[1] ?? [])),
];

await import('../src/serve.ts');
const { openErrorReports, openTracing } = await import('../src/composition/index.ts');
const { loadConfiguration } = await import('../src/config/index.ts');
const { createLogger } = await import('@holdfast/kit/telemetry');
const { systemClock: clock, systemRandom: random } = await import('@holdfast/kit/time');
const { httpRequestFinished, httpRequestHandled } = await import('@holdfast/kit/events');

const log = await createLogger({ clock, sink: { write() {} } });

async function open(env: Readonly<Record<string, string>>) {
  const configuration = loadConfiguration({ env, cwd: import.meta.dirname });
  const common = { configuration, version: '0.0.0', clock, random, log, metrics: undefined };
  const opened = [await openTracing(common), await openErrorReports(common)];
  const heard = httpRequestFinished.hasSubscribers || httpRequestHandled.isHeard;
  for (const each of opened) await each?.close();
  return { opened: opened.map((each) => each !== undefined), heard, modules: watched() };
}

const off = await open({});
const disabled = await open({ OTEL_SDK_DISABLED: 'true', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
const on = await open({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9', SENTRY_DSN: 'http://key@127.0.0.1:9/1' });
process.stdout.write(JSON.stringify({ off, disabled, on }));
