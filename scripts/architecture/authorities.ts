/**
 * What a module may only do in its one place: read the environment, look at the clock, draw a random number, write to
 * the console, open a connection. Rules 8 and 9 of the import rules; the lint rule `holdfast/ambient-authority` enforces it.
 */
export interface Authority {
  readonly name: string;
  /** Paths in the repository where it may be used. */
  readonly allowedIn: RegExp;
  /** Why it is forbidden elsewhere, and what to do instead. */
  readonly advice: string;
  /** `Date.now`, `fetch`, `node:crypto.randomBytes`; `new Date()` and `Date()` mean a call without arguments. */
  readonly names: ReadonlySet<string>;
  /** Modules of which nothing but types may be imported. */
  readonly modules: ReadonlySet<string>;
}

/** Source that is held to it. Tests may do what they like; scripts are no part of the product. */
export const governedSource = /^packages\/[^/]+\/src\/(?!.*\.test\.tsx?$).*\.tsx?$/;

export const authorities: readonly Authority[] = [
  {
    name: 'environment',
    allowedIn: /^packages\/server\/src\/config\//,
    advice:
      'Only packages/server/src/config reads the environment: there every setting is validated, documented and masked at start. ' +
      'Add the setting there and take its value as an option here.',
    names: new Set(['process.env', 'process.loadEnvFile']),
    modules: new Set(),
  },
  {
    name: 'time',
    allowedIn: /^packages\/kit\/src\/time\//,
    advice:
      'Only @holdfast/kit/time touches clock and timers, so that a test can move time instead of waiting for it. ' +
      'Take a `Clock` as an option: clock.now(), clock.monotonic(), clock.setTimeout(), sleep(clock, …). (setImmediate and queueMicrotask wait for no time and are free.)',
    names: new Set([
      'setTimeout',
      'setInterval',
      'Date.now',
      'new Date()',
      'Date()',
      'performance.now',
      'performance.timeOrigin',
      'performance.mark',
      'process.hrtime',
      'process.uptime',
      'Temporal.Now',
      'AbortSignal.timeout',
    ]),
    modules: new Set(['node:timers', 'node:timers/promises']),
  },
  {
    name: 'randomness',
    allowedIn: /^packages\/kit\/src\/time\//,
    advice:
      'Only @holdfast/kit/time draws random numbers, so that a test can replay chance. Take a `Random` as an option: random.next(), random.bytes(n); ids come from createUuidV7.',
    names: new Set([
      'Math.random',
      'crypto.randomUUID',
      'crypto.getRandomValues',
      'node:crypto.randomBytes',
      'node:crypto.randomFill',
      'node:crypto.randomFillSync',
      'node:crypto.randomInt',
      'node:crypto.randomUUID',
      'node:crypto.randomUUIDv7',
      'node:crypto.getRandomValues',
      'node:crypto.pseudoRandomBytes',
      'node:crypto.webcrypto.getRandomValues',
      'node:crypto.webcrypto.randomUUID',
    ]),
    modules: new Set(),
  },
  {
    name: 'console',
    allowedIn: /^packages\/server\/src\/entry\/cli\//,
    advice:
      'Modules announce, they do not log: publish on a typed channel (defineChannel of @holdfast/kit/events) and let telemetry listen. Only entry/cli writes to the console.',
    names: new Set(['console']),
    modules: new Set(['node:console']),
  },
  {
    name: 'outbound connections',
    allowedIn:
      /^packages\/(kit\/src\/llm\/transport\/|kit\/src\/(.+\/)?drivers\/|kit\/src\/testing\/|server\/src\/platform\/(postgres|[^/]+\/drivers)\/)/,
    advice:
      'Only llm/transport and named drivers open connections: there the egress allow-list, the byte limits and the deadlines are. Take a transport or a driver as an option.',
    names: new Set([
      'fetch',
      'WebSocket',
      'EventSource',
      'XMLHttpRequest',
      'node:http.request',
      'node:http.get',
      'node:http.Agent',
      'node:http.ClientRequest',
      'node:net.connect',
      'node:net.createConnection',
      'node:net.Socket',
      'node:tls.connect',
      'node:tls.TLSSocket',
      'node:http2.connect',
    ]),
    modules: new Set(['undici', 'node:https', 'node:dgram', 'node:dns', 'node:dns/promises']),
  },
];
