import { Secret } from './secret.ts';

/** Freezes plain objects and arrays all the way down; secrets are frozen by themselves. */
export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Secret || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
