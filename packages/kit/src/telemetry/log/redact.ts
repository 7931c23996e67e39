const hidden = '[redacted]';

/**
 * Members whose value is a secret wherever they stand, also inside JSON that is itself a string of the line: the quote
 * that opens the name, escaped or not, closes the value.
 */
const members =
  /(\\*")(authorization|proxy-authorization|x-api-key|api[_-]?key|cookie|set-cookie|password|passwd|secret|client[_-]?secret|access[_-]?token|refresh[_-]?token|token|master[_-]?key|private[_-]?key)\1\s*:\s*(?:\1(?:\\[\s\S]|(?!\1)[\s\S])*?\1|\[[^\]]*\])/gi;

/** Secrets by their own form, in any text: our keys, providers' keys, bearer tokens, passwords in URLs. */
const ownKeys = /\bhf_[0-9A-Za-z]{16,}/g;
const providerKeys = /\b(?:sk|rk|pk|xai|gsk|AIza)[-_][0-9A-Za-z_-]{16,}/g;
const bearer = /\b(bearer\s+)[\w.~+/=-]{8,}/gi;
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"\\]*:)[^\s@/"\\]+@/gi;

/**
 * The line without its secrets. Works on the finished text and not on objects, because secrets also stand inside
 * messages, paths and nested JSON, where no list of paths finds them.
 */
export function redactLine(line: string): string {
  let text = line.replace(members, (_match, quote: string, name: string) => `${quote}${name}${quote}:${quote}${hidden}${quote}`);
  text = text.replace(ownKeys, `hf_${hidden}`).replace(providerKeys, hidden).replace(bearer, `$1${hidden}`);
  return text.includes('://') ? text.replace(urlPassword, `$1${hidden}@`) : text;
}
