import type { Finding } from '../finding.ts';
import { placeholderOf } from '../text/index.ts';
import { scan, type Accepts } from '../scan.ts';
import { createLineMasker, type LineMasker } from './line-masker.ts';
import { maskObject, readObjectBounds, type ObjectBounds } from './mask-object.ts';
import { readMaskingOptions, type MaskingOptions } from '../options.ts';

export interface Masker {
  /** In order and disjoint. */
  find(text: string): Finding[];
  /** The text with each finding replaced. Masking it again changes nothing, but for what a `replace` of yours writes. */
  mask(text: string): string;
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
  const mask = (text: string): string => {
    let masked = text;
    for (let look = 0; look < mostLooks; look++) {
      const findings = scan(masked, accepts);
      if (findings.length === 0) break;
      masked = withReplaced(masked, findings, replaceBy);
      if (replace) break;
    }
    return masked;
  };
  return Object.freeze({
    find: (text: string) => scan(text, accepts),
    mask,
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

const standard = createMasker();

/** Every finding of every type, in order and disjoint, with its confidence. Linear in the text's length, whatever it holds. */
export function findSensitive(text: string): Finding[] {
  return scan(text, () => true);
}

/** The text with placeholders such as `[email]` in place of what is sensitive. */
export function mask(text: string): string {
  return standard.mask(text);
}
