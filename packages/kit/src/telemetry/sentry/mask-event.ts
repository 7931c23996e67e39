import type { ErrorEvent } from '@sentry/core';
import { createMasker } from '../../privacy/index.ts';

const masker = createMasker();

/** What may say something of its own: all texts in it are masked, members with names of secrets whole. */
const free = ['message', 'logentry', 'extra', 'contexts', 'tags', 'breadcrumbs', 'transaction'] as const;

/**
 * An event as it may leave: masked, with no request, and of a user no more than the id. Whoever adds to the event (a wrapper, another
 * integration, a later version of the library) is masked too.
 */
export function maskEvent(event: ErrorEvent): ErrorEvent {
  const masked: ErrorEvent = { ...event };
  for (const name of free)
    if (event[name] !== undefined) (masked as unknown as Record<string, unknown>)[name] = masker.maskObject(event[name]);
  delete masked.request;
  delete masked.server_name;
  if (event.user) masked.user = event.user.id === undefined ? {} : { id: event.user.id };
  if (event.exception?.values) masked.exception = { ...event.exception, values: event.exception.values.map(maskException) };
  return masked;
}

type Exception = NonNullable<NonNullable<ErrorEvent['exception']>['values']>[number];

function maskException(exception: Exception): Exception {
  const { value, stacktrace, mechanism } = exception;
  return {
    ...exception,
    ...(value !== undefined && { value: masker.mask(value.slice(0, 8_192)) }),
    ...(mechanism && { mechanism: masker.maskObject(mechanism) as NonNullable<typeof mechanism> }),
    ...(stacktrace?.frames && {
      stacktrace: {
        ...stacktrace,
        frames: stacktrace.frames.map((frame) => ({
          ...frame,
          ...(frame.vars && { vars: masker.maskObject(frame.vars) as typeof frame.vars }),
        })),
      },
    }),
  };
}
