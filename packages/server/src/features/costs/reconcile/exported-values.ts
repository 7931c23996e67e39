import { HoldfastError } from '@holdfast/kit/errors';
import type { Usage } from '@holdfast/kit/llm';

/** What a provider says was used of one model in one span of time. */
export interface ExportedUsage {
  /** Milliseconds since the Unix epoch. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
  readonly model: string;
  readonly batch: boolean;
  /** Undefined where the provider does not count them. */
  readonly requests: number | undefined;
  readonly usage: Usage;
}

/** What a provider says that it charges for one thing in one span of time. */
export interface ExportedCost {
  readonly fromMs: number;
  readonly toMs: number;
  /** In its words: a model and kind of token, or a tool. */
  readonly item: string;
  readonly nanoUsd: bigint;
}

export interface ProviderExport {
  /** The kind of provider. */
  readonly kind: 'openai' | 'anthropic';
  readonly format: string;
  readonly usages: readonly ExportedUsage[];
  readonly costs: readonly ExportedCost[];
  /** More was to come: the file is one page of several. */
  readonly truncated: boolean;
}

/** A file as it was parsed: records of a CSV, or what JSON said; several pages in one array are joined. */
export type RawExport =
  | { readonly csv: readonly Readonly<Record<string, string>>[] }
  | { readonly pages: readonly Readonly<Record<string, unknown>>[] };

export function exportFault(message: string): HoldfastError {
  return new HoldfastError('invalid_request', { details: [{ field: 'file', message }] });
}

/** A count; also `10.0`, as some exports write it. Empty is 0. */
export function readCount(value: unknown, what: string): number {
  if (value === undefined || value === null || value === '') return 0;
  const count = typeof value === 'number' ? value : typeof value === 'string' && /^\d+(\.0+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(count) || count < 0) throw exportFault(`${what} is no count: ${JSON.stringify(value)}`);
  return count;
}

/** A decimal number of dollars, or of cents where `digits` is 7, as nano-dollars. */
export function readAmount(value: unknown, digits: number, what: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d{1,2}))?$/i.exec(String(value));
  if (!match) throw exportFault(`${what} is no amount: ${JSON.stringify(value)}`);
  const [, sign, whole, fraction = '', exponent = '0'] = match as unknown as [
    string,
    string,
    string,
    string | undefined,
    string | undefined,
  ];
  const scale = digits + Number(exponent) - fraction.length;
  const all = BigInt(whole + fraction);
  // Rounded to the next nano-dollar: exports carry the noise of binary fractions.
  const nano = scale >= 0 ? all * 10n ** BigInt(scale) : (all + 10n ** BigInt(-scale) / 2n) / 10n ** BigInt(-scale);
  return sign === '-' ? -nano : nano;
}

export function readMoment(value: unknown, what: string): number {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value : '';
  // Seconds since the Unix epoch, a day, or RFC 3339.
  const ms = /^\d{9,11}(\.0)?$/.test(text)
    ? Number(text) * 1000
    : /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? Date.parse(`${text}T00:00:00Z`)
      : Date.parse(text);
  if (!Number.isFinite(ms)) throw exportFault(`${what} is no time: ${JSON.stringify(value)}`);
  return ms;
}
