import { describe, expect, test } from 'vitest';
import { errorTable, HoldfastError, type ErrorCode } from '../errors/index.ts';
import { classifyFailure } from './classify-failure.ts';
import { causeTraits, type FailureCause } from './failure-cause.ts';

describe('a HoldfastError is classified by its code', () => {
  test.each<[ErrorCode, FailureCause]>([
    ['provider_unreachable', 'transient'],
    ['provider_connect_timeout', 'transient'],
    ['provider_failed', 'transient'],
    ['provider_overloaded', 'transient'],
    ['provider_malformed', 'transient'],
    ['stream_cut', 'transient'],
    ['stream_stalled', 'transient'],
    ['operation_timeout', 'transient'],
    ['database_unavailable', 'transient'],
    ['draining', 'transient'],
    ['provider_rate_limited', 'throttled'],
    ['first_token_timeout', 'slow'],
    ['call_timeout', 'slow'],
    ['deadline_exceeded', 'slow'],
    ['provider_auth_failed', 'credentials'],
    ['context_length_exceeded', 'unsuited'],
    ['dialect_unsupported', 'unsuited'],
    ['operation_unsupported', 'unsuited'],
    ['content_filtered', 'permanent'],
    ['provider_rejected_request', 'permanent'],
    ['provider_too_large', 'permanent'],
    ['model_not_found', 'permanent'],
    ['invalid_request', 'permanent'],
    ['key_revoked', 'permanent'],
    ['model_not_allowed', 'permanent'],
    ['conflict', 'permanent'],
    ['body_too_large', 'permanent'],
    ['content_type_unsupported', 'permanent'],
    ['circuit_open', 'refused'],
    ['concurrency_limited', 'refused'],
    ['client_closed', 'cancelled'],
    ['hedge_lost', 'cancelled'],
    ['internal_error', 'unknown'],
  ])('%s is %s', (code, cause) => {
    expect(classifyFailure(new HoldfastError(code))).toBe(cause);
  });

  test('no code that the table calls not retryable is retried at the same target', () => {
    const retried = (Object.keys(errorTable) as ErrorCode[]).filter((code) => {
      const error = new HoldfastError(code);
      return !error.retryable && causeTraits[classifyFailure(error)].retriedOnSameTarget;
    });
    expect(retried).toEqual([]);
  });
});

describe('another error is classified by its status or code', () => {
  test.each<[number, FailureCause]>([
    [400, 'permanent'],
    [401, 'credentials'],
    [402, 'credentials'],
    [403, 'credentials'],
    [404, 'permanent'],
    [408, 'transient'],
    [409, 'permanent'],
    [422, 'permanent'],
    [429, 'throttled'],
    [500, 'transient'],
    [501, 'permanent'],
    [502, 'transient'],
    [503, 'transient'],
    [504, 'transient'],
    [529, 'transient'],
  ])('status %d is %s', (status, cause) => {
    expect(classifyFailure(Object.assign(new Error('answered'), { status }))).toBe(cause);
    expect(classifyFailure(Object.assign(new Error('answered'), { statusCode: status }))).toBe(cause);
  });

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
  ])('%s is transient, also below the error that fetch throws', (code) => {
    const cause = Object.assign(new Error('socket'), { code });
    expect(classifyFailure(cause)).toBe('transient');
    expect(classifyFailure(new TypeError('fetch failed', { cause }))).toBe('transient');
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
