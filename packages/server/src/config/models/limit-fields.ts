import { attemptLimitDefaults, type AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import type { Field } from '../fields.ts';
import { integer } from '../value-types.ts';

const milliseconds = integer(1, 86_400_000);

/** `defaultText` of numbers that are no default but follow from others is in words. */
export const limitFields: Readonly<Record<keyof AttemptLimits, Field<number>>> = {
  connectMs: {
    type: milliseconds,
    defaultText: String(attemptLimitDefaults.connectMs),
    description: 'Milliseconds until a connection to the provider is made.',
  },
  firstTokenMs: {
    type: milliseconds,
    defaultText: String(attemptLimitDefaults.firstTokenMs),
    description:
      'Streams: milliseconds until the first event of the answer. Comments and pings do not count. Raise it for models that think long.',
  },
  answerMs: {
    type: milliseconds,
    defaultText: '`totalMs`, divided by the number of targets',
    description:
      'Plain answers: milliseconds until the answer of one target is whole. Without it, a silent target would leave no time for the next one.',
  },
  stallMs: {
    type: milliseconds,
    defaultText: String(attemptLimitDefaults.stallMs),
    description: 'Streams: milliseconds between two signs of life; pings count.',
  },
  totalMs: {
    type: milliseconds,
    defaultText: String(attemptLimitDefaults.totalMs),
    description: 'Milliseconds of the whole call. Limits that are not set are lowered to it.',
  },
};
