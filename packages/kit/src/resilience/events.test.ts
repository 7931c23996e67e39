import { expect, test } from 'vitest';
import {
  breakerChanged,
  breakerStoreFailed,
  callRejected,
  callTimedOut,
  concurrencyLimitChanged,
  fallbackUsed,
  hedgeFinished,
  hedgeStarted,
  overloadBegan,
  overloadEnded,
  requestShed,
  retryAbandoned,
  retryScheduled,
} from './index.ts';

test('announcements go by the names under which they are documented', () => {
  const channels = [
    retryScheduled,
    retryAbandoned,
    breakerChanged,
    breakerStoreFailed,
    callRejected,
    callTimedOut,
    hedgeStarted,
    hedgeFinished,
    concurrencyLimitChanged,
    fallbackUsed,
    overloadBegan,
    overloadEnded,
    requestShed,
  ];
  expect(channels.map(({ name }) => name)).toEqual([
    'holdfast:resilience:retry-scheduled',
    'holdfast:resilience:retry-abandoned',
    'holdfast:resilience:breaker-changed',
    'holdfast:resilience:breaker-store-failed',
    'holdfast:resilience:call-rejected',
    'holdfast:resilience:call-timed-out',
    'holdfast:resilience:hedge-started',
    'holdfast:resilience:hedge-finished',
    'holdfast:resilience:concurrency-limit-changed',
    'holdfast:resilience:fallback-used',
    'holdfast:resilience:overload-began',
    'holdfast:resilience:overload-ended',
    'holdfast:resilience:request-shed',
  ]);
});
