import { getSystemErrorMap } from 'node:util';
import { describe, expect, test } from 'vitest';
import { errorTable, HoldfastError, type ErrorCode } from '../errors/index.ts';
import { classifyFailure } from './classify-failure.ts';
import { causeTraits } from './failure-cause.ts';

// What Node, undici and the SDKs really throw is in test/resilience/real-failures.test.ts. Here is what every error of our own table
// has to keep to, whatever its code, and what nothing outside produces.

const codes = Object.keys(errorTable) as ErrorCode[];
const traitsOf = (code: ErrorCode) => causeTraits[classifyFailure(new HoldfastError(code))];

describe('an error of the table', () => {
  test.each(codes)('%s is known', (code) => {
    // `unknown` says that nobody can tell; of our own errors that is true of those that are faults of ours alone.
    const cause = classifyFailure(new HoldfastError(code));
    expect(Object.keys(causeTraits)).toContain(cause);
    if (new HoldfastError(code).category !== 'internal') expect(cause).not.toBe('unknown');
  });

  test('that is not worth repeating is not repeated at the same target', () => {
    expect(codes.filter((code) => !new HoldfastError(code).retryable && traitsOf(code).retriedOnSameTarget)).toEqual([]);
  });

  test('with which a client is told that its request is at fault counts against no target', () => {
    const clientStatuses = new Set([400, 404, 405, 409, 413, 415, 422, 431]);
    const blamed = codes.filter((code) => clientStatuses.has(new HoldfastError(code).status) && traitsOf(code).breaker === 'failure');
    expect(blamed).toEqual([]);
  });

  test('that blames who sent the request is told to whoever sent it, and tried nowhere else', () => {
    const blame = new Set(['authentication', 'authorization', 'not_found', 'payload_too_large', 'unsupported_media', 'conflict']);
    const tried = codes.filter((code) => blame.has(new HoldfastError(code).category) && traitsOf(code).mayTryNextTarget);
    expect(tried).toEqual([]);
  });

  test('that nobody waits for any more is neither repeated nor counted', () => {
    for (const code of ['client_closed', 'hedge_lost'] as const) {
      expect(traitsOf(code)).toEqual({ retriedOnSameTarget: false, mayTryNextTarget: false, breaker: 'neither' });
    }
  });

  test('that kept the request from its target says nothing of that target', () => {
    for (const code of ['circuit_open', 'concurrency_limited'] as const) {
      expect(traitsOf(code)).toEqual({ retriedOnSameTarget: false, mayTryNextTarget: true, breaker: 'neither' });
    }
  });

  test.each<[why: string, code: ErrorCode]>([
    ['the prompt does not fit into this model', 'context_length_exceeded'],
    ['its dialect has no word for it', 'dialect_unsupported'],
    ['it has no such operation', 'operation_unsupported'],
    ['its account refuses us', 'provider_auth_failed'],
    ['it was silent, and the client has waited long enough', 'first_token_timeout'],
  ])('lets another target try: %s', (_why, code) => {
    expect(traitsOf(code)).toMatchObject({ retriedOnSameTarget: false, mayTryNextTarget: true });
  });

  test('of a content filter, or of a request that a provider calls invalid, is the last word', () => {
    for (const code of ['content_filtered', 'provider_rejected_request'] as const) {
      expect(traitsOf(code)).toMatchObject({ retriedOnSameTarget: false, mayTryNextTarget: false });
    }
  });

  test('that says wait is repeated at the target that said so', () => {
    expect(classifyFailure(new HoldfastError('provider_rate_limited', { retryAfterSeconds: 3 }))).toBe('throttled');
  });
});

test('each cause is treated as its table says', () => {
  const traits = (retriedOnSameTarget: boolean, mayTryNextTarget: boolean, breaker: string) => ({
    retriedOnSameTarget,
    mayTryNextTarget,
    breaker,
  });
  expect(causeTraits).toEqual({
    transient: traits(true, true, 'failure'),
    throttled: traits(true, true, 'failure'),
    slow: traits(false, true, 'failure'),
    unknown: traits(false, true, 'failure'),
    credentials: traits(false, true, 'neither'),
    unsuited: traits(false, true, 'alive'),
    permanent: traits(false, false, 'alive'),
    refused: traits(false, true, 'neither'),
    cancelled: traits(false, false, 'neither'),
  });
});

describe('another error', () => {
  test.each([
    'ECONNRESET',
    'ECONNREFUSED',
    'ECONNABORTED',
    'EPIPE',
    'ETIMEDOUT',
    'ESOCKETTIMEDOUT',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ERR_SOCKET_CONNECTION_TIMEOUT',
    'ERR_STREAM_PREMATURE_CLOSE',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_BODY_TIMEOUT',
    'UND_ERR_SOCKET',
  ])('of the network is worth another try: %s', (code) => {
    expect(classifyFailure(Object.assign(new Error('connect'), { code }))).toBe('transient');
  });

  test('whose status is a text says nothing by it', () => {
    expect(classifyFailure(Object.assign(new Error('answered'), { status: '503' }))).toBe('unknown');
    expect(classifyFailure(Object.assign(new Error('answered'), { statusCode: '503' }))).toBe('unknown');
  });

  test.each([{ status: 503 }, { statusCode: 503 }])('carries its status as either of the two names in use: %o', (members) => {
    expect(classifyFailure(Object.assign(new Error('answered'), members))).toBe('transient');
  });

  test('of the network is worth another try, whichever of its names the system uses', () => {
    const network = /^E(?:CONN(?:RESET|REFUSED|ABORTED)|TIMEDOUT|(?:HOST|NET)(?:UNREACH|DOWN)|PIPE)$/;
    const names = [...getSystemErrorMap().values()].map(([name]) => name).filter((name) => network.test(name));
    expect(names.length).toBeGreaterThan(7);
    for (const code of names) expect([code, classifyFailure(Object.assign(new Error('x'), { code }))]).toEqual([code, 'transient']);
  });

  test('an abort is a cancellation, a time-out of a signal is not', () => {
    expect(classifyFailure(new DOMException('aborted', 'AbortError'))).toBe('cancelled');
    expect(classifyFailure(new DOMException('timed out', 'TimeoutError'))).toBe('transient');
  });

  test('a wrapper without a word of its own is classified by its cause, up to four deep', () => {
    let error: unknown = new HoldfastError('provider_rate_limited');
    for (let depth = 0; depth < 3; depth++) error = new Error('wrapped', { cause: error });
    expect(classifyFailure(error)).toBe('throttled');
    expect(classifyFailure(new Error('wrapped', { cause: error }))).toBe('unknown');
  });

  test('causes that go round in a circle end', () => {
    const error = new Error('round');
    error.cause = error;
    expect(classifyFailure(error)).toBe('unknown');
  });

  test.each([
    [new Error('boom')],
    [new TypeError('x is not a function')],
    ['text'],
    [undefined],
    [null],
    [404],
    [{ status: 200 }],
    [{ status: '500' }],
  ])('%o is unknown', (error) => {
    expect(classifyFailure(error)).toBe('unknown');
  });
});
