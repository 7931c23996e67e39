export type AttributeValue = string | number | boolean | readonly string[];

/** By the names of the semantic conventions. A whole number is sent as an integer. */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/**
 * A number that is a double by convention. The protocol has two types of number and the encoder chooses by the value, so that a whole
 * one is moved by less than anybody can measure.
 */
export function double(value: number): number {
  if (!Number.isInteger(value)) return value;
  return value === 0 ? Number.MIN_VALUE : value + value * Number.EPSILON;
}

/** A piece of work that has ended. Times are milliseconds since the Unix epoch, with fractions. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** The parent is in another process. */
  readonly hasRemoteParent: boolean;
  readonly traceState: string | undefined;
  /** Of the flags that were sent on. */
  readonly sampled: boolean;
  readonly name: string;
  readonly kind: 'server' | 'client' | 'internal';
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
  /** Of the caller's span, where it is named and not continued. */
  readonly link: { readonly traceId: string; readonly spanId: string } | undefined;
}
