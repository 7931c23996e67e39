import type { Field } from '../fields.ts';
import { integer } from '../value-types.ts';
import { defaultModelLimits, type ModelLimits } from './model-configuration.ts';

const milliseconds = integer(1, 86_400_000);

export const limitFields: Readonly<Record<keyof ModelLimits, Field<number>>> = {
  connectMs: {
    type: milliseconds,
    defaultText: String(defaultModelLimits.connectMs),
    description: 'Milliseconds until a connection to the provider is made.',
  },
  firstTokenMs: {
    type: milliseconds,
    defaultText: String(defaultModelLimits.firstTokenMs),
    description:
      'Streams: milliseconds until the first event of the answer. Comments and pings do not count. Raise it for models that think long.',
  },
  stallMs: {
    type: milliseconds,
    defaultText: String(defaultModelLimits.stallMs),
    description: 'Streams: milliseconds between two signs of life; pings count.',
  },
  totalMs: {
    type: milliseconds,
    defaultText: String(defaultModelLimits.totalMs),
    description: 'Milliseconds of the whole call. Limits that are not set are lowered to it.',
  },
};
