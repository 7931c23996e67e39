import type { Finding } from '../finding.ts';
import { backslash, digit, is, placeholderOf, quote } from '../text/index.ts';
import { scan, type Accepts } from '../scan.ts';
import { createLineMasker, type LineMasker } from './line-masker.ts';
import { maskObject, readObjectBounds, type ObjectBounds } from './mask-object.ts';
import { readMaskingOptions, type MaskingOptions } from '../options.ts';

export interface Masker {
  /** In order and disjoint. */
  find(text: string): Finding[];
  /** The text with each finding replaced. Masking it again changes nothing, but for what a `replace` of yours writes. */
  mask(text: string): string;
  /** The same for text that is JSON, as a log line: what it gives is JSON too. A number that is masked becomes a string. */
  maskJson(text: string): string;
  /**
   * A copy with all strings masked, also keys, and with members whole whose name says that they are secrets. Never throws and never changes
   * what it is given; cycles, depth, number and length are bounded, and what lies beyond is named and not shown.
   */
  maskObject(value: unknown, bounds?: ObjectBounds): unknown;
  /** For text that comes in pieces and is read line by line. */
  lines(options?: { readonly maxLineChars?: number }): LineMasker;
}

/** What is masked once may stand in another light after it: one candidate may have been part of another. Two more looks have always been enough. */
const mostLooks = 8;

/** Options are read once. Throws `configuration_invalid`. */
export function createMasker(options: MaskingOptions = {}): Masker {
  const { types, minConfidence, replace } = readMaskingOptions(options);
  const wanted = new Set<string>(types);
  const accepts: Accepts = ({ type, confidence }) => confidence >= minConfidence && wanted.has(type);
  const replaceBy = (finding: Finding, text: string): string => {
    if (!replace) return placeholderOf(finding.type);
    try {
      const replaced: unknown = replace(finding, text.slice(finding.start, finding.end));
      return typeof replaced === 'string' ? replaced : placeholderOf(finding.type);
    } catch {
      // Whoever masks is about to write a log line, and neither the line nor the secret may be lost to this.
      return placeholderOf(finding.type);
    }
  };
  const maskBy = (text: string, put: typeof withReplaced): string => {
    let masked = text;
    for (let look = 0; look < mostLooks; look++) {
      const findings = scan(masked, accepts);
      if (findings.length === 0) break;
      masked = put(masked, findings, replaceBy);
      if (replace) break;
    }
    return masked;
  };
  const mask = (text: string): string => maskBy(text, withReplaced);
  return Object.freeze({
    find: (text: string) => scan(text, accepts),
    mask,
    maskJson: (text: string) => maskBy(text, withReplacedInJson),
    maskObject: (value: unknown, bounds: ObjectBounds = {}) => maskObject(value, mask, wanted.has('secret'), readObjectBounds(bounds)),
    lines: (lineOptions: { readonly maxLineChars?: number } = {}) => createLineMasker(mask, lineOptions),
  });
}

function withReplaced(text: string, findings: readonly Finding[], replaceBy: (finding: Finding, text: string) => string): string {
  let masked = '';
  let from = 0;
  for (const finding of findings) {
    masked += text.slice(from, finding.start) + replaceBy(finding, text);
    from = finding.end;
  }
  return masked + text.slice(from);
}

/**
 * What is left is JSON if the text was: a finding that begins in a string ends in one, escapes stay whole, and outside of strings only numbers
 * can be findings, which give way to a string.
 */
function withReplacedInJson(text: string, findings: readonly Finding[], replaceBy: (finding: Finding, text: string) => string): string {
  let masked = '';
  let from = 0;
  let isInString = false;
  for (const finding of findings) {
    let { start, end } = finding;
    if (start < from) continue;
    let at = from;
    for (; at < start; at++) {
      const code = text.charCodeAt(at);
      if (code === backslash) at += escapeLength(text, at) - 1;
      else if (code === quote) isInString = !isInString;
    }
    // It began with what a backslash escapes.
    start = at;
    if (isInString) end = endInString(text, start, end);
    else {
      while (start > from && isOfNumber(text.charCodeAt(start - 1))) start--;
      while (isOfNumber(text.charCodeAt(end))) end++;
    }
    masked += text.slice(from, start);
    from = start;
    if (end <= start || (!isInString && !isNumber(text, start, end))) continue;
    const replaced = JSON.stringify(replaceBy(finding, text));
    masked += isInString ? replaced.slice(1, -1) : replaced;
    from = end;
  }
  return masked + text.slice(from);
}

/** Not between a backslash and what it escapes, and in a string: a list of secrets is one finding from its first string to its last. */
function endInString(text: string, start: number, end: number): number {
  let isInside = true;
  let firstQuote = end;
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === backslash) {
      const escape = at;
      at += escapeLength(text, at) - 1;
      if (at >= end) return isInside ? escape : firstQuote;
    } else if (code === quote) {
      firstQuote = Math.min(firstQuote, at);
      isInside = !isInside;
    }
  }
  return isInside ? end : firstQuote;
}

/** `\n` has two characters, `\u0007` six. */
function escapeLength(text: string, at: number): number {
  return text.charCodeAt(at + 1) === 117 ? 6 : 2;
}

function isNumber(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isOfNumber(text.charCodeAt(at))) return false;
  return true;
}

/** Digits, `+`, `-`, `.` and the `e` of an exponent. */
function isOfNumber(code: number): boolean {
  return is(code, digit) || code === 43 || code === 45 || code === 46 || (code | 32) === 101;
}

const standard = createMasker();

/** Every finding of every type, in order and disjoint, with its confidence. Linear in the text's length, whatever it holds. */
export function findSensitive(text: string): Finding[] {
  return scan(text, () => true);
}

/** The text with placeholders such as `[email]` in place of what is sensitive. */
export function mask(text: string): string {
  return standard.mask(text);
}
