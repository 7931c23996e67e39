import { createStackParser, createTransport, linkedErrorsIntegration } from '@sentry/core';
import { nodeStackLineParser, ServerRuntimeClient } from '@sentry/core/server';
import process from 'node:process';
import { maskEvent } from './mask-event.ts';
import type { SentryOptions } from './options.ts';
import type { SentrySender } from './drivers/http/index.ts';

/**
 * Sentry's client without its surroundings: nothing is patched, no global scope, handler or timer of it is used, and nothing but errors that
 * it is handed is sent. Throws what the library throws when the DSN is none.
 */
export function createSentryClient(
  options: Required<Pick<SentryOptions, 'dsn' | 'environment' | 'release' | 'sampleRate'>>,
  sender: SentrySender,
): ServerRuntimeClient {
  const client = new ServerRuntimeClient({
    dsn: options.dsn,
    environment: options.environment,
    release: options.release,
    sampleRate: options.sampleRate,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    // Causes are read as far as they go; there is nothing else that is wanted of the library's own.
    integrations: [linkedErrorsIntegration({ limit: 5 })],
    traceLifecycle: 'static',
    sendClientReports: false,
    stackParser: createStackParser(nodeStackLineParser()),
    beforeSend: maskEvent,
    transport: (given) =>
      createTransport({ ...given, bufferSize: sender.maxUnderWay }, ({ body }) => sender.post(given.url, given.headers ?? {}, body)),
  });
  client.init();
  return client;
}
