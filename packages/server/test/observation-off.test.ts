import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('observation-off-main.ts', import.meta.url));

test('nothing of OpenTelemetry or Sentry is loaded, and nothing listens, until there is somewhere to send to', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=dev-source', program]);
  const nothing = { opened: [false, false], heard: false, modules: [] };
  expect(JSON.parse(stdout)).toEqual({
    off: nothing,
    disabled: nothing,
    on: {
      opened: [true, true],
      heard: true,
      modules: expect.arrayContaining(['@opentelemetry/otlp-transformer', '@opentelemetry/api', '@sentry/core']),
    },
  });
});
