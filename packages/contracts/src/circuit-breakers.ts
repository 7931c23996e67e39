import { z } from 'zod';
import { pageOf, timestamp } from './common/index.ts';

export const circuitBreakerState = z.enum(['closed', 'open', 'half_open']).meta({
  id: 'CircuitBreakerState',
  description: 'Calls pass; calls are refused; the next call, and no other, finds out whether it is well again.',
});

export const circuitBreakerKind = z.enum(['model', 'database', 'redis']).meta({
  id: 'CircuitBreakerKind',
  description: '`model` is a target of model calls, `provider/model`; the others are what the server itself stands on.',
});

const name = z.string().min(1).max(512);
const count = z.int().nonnegative();

const example = {
  name: 'primary/gpt-4o-mini',
  kind: 'model',
  state: 'open',
  by_hand: false,
  changed_at: '2026-11-20T09:33:28.114Z',
  opened_at: '2026-11-20T09:33:28.114Z',
  next_probe_at: '2026-11-20T09:34:28.114Z',
  failures: 0,
  window_calls: null,
  totals: { succeeded: 4711, failed: 9, refused: 133, opened: 1 },
  last_failure: { at: '2026-11-20T09:33:28.114Z', code: 'provider_overloaded' },
  settings: { mode: 'consecutive', threshold: 5, ratio: null, window_ms: null, recovery_ms: 60_000 },
} as const;

export const circuitBreaker = z
  .object({
    name: z.string().meta({ description: '`provider/model` for a target of model calls. May have more slashes.' }),
    kind: circuitBreakerKind,
    state: circuitBreakerState,
    by_hand: z.boolean().meta({ description: 'An operator put it into this state.' }),
    changed_at: timestamp.nullable().meta({ description: 'When it last opened or closed; null when it never did.' }),
    opened_at: timestamp.nullable().meta({ description: 'When it last opened; null while it is closed.' }),
    next_probe_at: timestamp.nullable().meta({
      description: 'When a call may find out whether it is well again; null while it is closed, or open until somebody closes it.',
    }),
    failures: count.meta({ description: 'Failures in a row, or in the window.' }),
    window_calls: count.nullable().meta({ description: 'Calls in the window, of mode `ratio`.' }),
    totals: z.object({ succeeded: count, failed: count, refused: count, opened: count }).meta({
      description: 'Calls that it saw or refused, and how often it opened: since the start of the instance that answers, and of it alone.',
    }),
    last_failure: z
      .object({ at: timestamp, code: z.string().meta({ description: 'What went wrong, in one word; the log has all of them.' }) })
      .nullable(),
    settings: z
      .object({
        mode: z.enum(['consecutive', 'ratio']),
        threshold: count,
        ratio: z.number().nullable(),
        window_ms: z.number().nullable(),
        recovery_ms: z.number(),
      })
      .nullable()
      .meta({ description: 'When it opens and for how long; null for what is not opened by counting.' }),
  })
  .meta({ id: 'CircuitBreaker', description: 'What keeps calls away from something that fails.', examples: [example] });

const shared = z.boolean().meta({
  description: 'Whether other instances share these states at the moment, through Redis. False without Redis, and while it is away.',
});

export const listCircuitBreakersQuery = z.strictObject({
  state: circuitBreakerState.optional().meta({ description: 'Only those in this state.' }),
});

/** All of them: their number is bounded. */
export const circuitBreakerList = z.object({ ...pageOf(circuitBreaker).shape, data: z.array(circuitBreaker), shared }).meta({
  id: 'CircuitBreakerList',
  description: 'Every circuit breaker, in one page.',
  examples: [{ data: [example], next_cursor: null, shared: true }],
});

/** An unknown field is a fault: a misspelt `for_seconds` would open it for good. */
export const openCircuitBreakerRequest = z
  .strictObject({
    name,
    for_seconds: z
      .int()
      .min(1)
      .max(31_536_000)
      .optional()
      .meta({
        description:
          'After so many seconds a call may find out whether it is well again. Without it the breaker is open until somebody closes it.',
        examples: [600],
      }),
  })
  .meta({ id: 'OpenCircuitBreakerRequest', examples: [{ name: 'primary/gpt-4o-mini', for_seconds: 600 }] });

export const closeCircuitBreakerRequest = z
  .strictObject({ name })
  .meta({ id: 'CloseCircuitBreakerRequest', examples: [{ name: 'primary/gpt-4o-mini' }] });

/** What it is now, and who knows of it. */
export const movedCircuitBreaker = z
  .object({
    ...circuitBreaker.shape,
    shared: shared.meta({
      description:
        'Whether the other instances have been told. False without Redis; while Redis is away they hear of it when it is back, and until then only the instance that answers obeys.',
    }),
  })
  .meta({
    id: 'MovedCircuitBreaker',
    description: 'A circuit breaker that an operator has moved.',
    examples: [{ ...example, by_hand: true, shared: true }],
  });

export type CircuitBreakerBody = z.infer<typeof circuitBreaker>;
export type CircuitBreakerListBody = z.infer<typeof circuitBreakerList>;
export type MovedCircuitBreakerBody = z.infer<typeof movedCircuitBreaker>;
export type ListCircuitBreakersQuery = z.infer<typeof listCircuitBreakersQuery>;
export type OpenCircuitBreakerRequest = z.infer<typeof openCircuitBreakerRequest>;
export type CloseCircuitBreakerRequest = z.infer<typeof closeCircuitBreakerRequest>;
