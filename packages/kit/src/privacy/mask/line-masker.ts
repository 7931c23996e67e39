import { maskBounded } from './mask-object.ts';
import { optionFault } from '../options.ts';

export interface LineMasker {
  /** Takes a piece of the text and gives the masked lines that are complete with it, line ends included. */
  push(piece: string): string;
  /** The rest, which ends without a line end. The masker is as new after it. */
  end(): string;
}

const defaultMaxLineChars = 256 * 1024;
/** A key has some hundred lines at most; without a bound, a stray first line would hide a log for ever. */
const mostKeyLines = 400;

/**
 * However the text is cut into pieces, the masked text is the same. A line longer than `maxLineChars` (262,144 by default) is cut: its rest is
 * dropped, since what is not held cannot be masked. Private keys are masked over the lines that they take.
 */
export function createLineMasker(
  mask: (text: string) => string,
  { maxLineChars = defaultMaxLineChars }: { readonly maxLineChars?: number },
): LineMasker {
  if (!Number.isInteger(maxLineChars) || maxLineChars < 1_024) throw optionFault('maxLineChars', 'a whole number from 1024', maxLineChars);
  // Held and not joined at each piece: a line in pieces of one character would be copied as often as it has characters.
  let held: string[] = [];
  let heldChars = 0;
  let keyLines = 0;

  const hold = (piece: string): void => {
    // Enough more than the bound that the masking knows of the cut.
    const room = maxLineChars + 1_024 - heldChars;
    if (room <= 0 || piece === '') return;
    const kept = piece.length > room ? piece.slice(0, room) : piece;
    held.push(kept);
    heldChars += kept.length;
  };
  const maskLine = (): string => {
    const line = held.join('');
    held = [];
    heldChars = 0;
    if (keyLines > 0) {
      keyLines++;
      const last = lastKeyLine.exec(line);
      if (last) {
        keyLines = 0;
        return `[private_key]${maskBounded(line.slice(last[0].length), mask, maxLineChars)}`;
      }
      if (keyLines <= mostKeyLines && isKeyBody(line)) return line === '' || line === '\r' ? line : '[private_key]';
      keyLines = 0;
    }
    if (beginsKey(line)) keyLines = 1;
    return maskBounded(line, mask, maxLineChars);
  };

  return {
    push(piece) {
      let masked = '';
      let from = 0;
      for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', from)) {
        hold(piece.slice(from, end));
        masked += `${maskLine()}\n`;
        from = end + 1;
      }
      hold(piece.slice(from));
      return masked;
    },
    end() {
      const masked = heldChars === 0 ? '' : maskLine();
      keyLines = 0;
      return masked;
    },
  };
}

function beginsKey(line: string): boolean {
  const at = line.lastIndexOf('-----BEGIN ');
  return at >= 0 && line.slice(at, at + 64).includes('PRIVATE KEY') && !line.includes('-----END ', at);
}

const lastKeyLine = /^\s{0,64}[A-Za-z0-9+/=]{0,128}-----END [A-Z ]{1,48}-----/;

/** Base64 of a line's usual length, the headers of an encrypted key, or nothing. */
function isKeyBody(line: string): boolean {
  return line.length <= 128 && (/^\s*[A-Za-z0-9+/=]*\s*$/.test(line) || /^[A-Za-z-]{1,32}: /.test(line));
}
