/** What an embedded picture or file is counted as, in characters: about the tokens of a middling picture. */
export const embeddedLength = 4000;

/** A data URL, or base64 as Anthropic carries it: long, and of letters that no text is made of for so long. */
export function isEmbedded(text: string): boolean {
  return text.length > 2048 && (text.startsWith('data:') || !/[^\w+/=\r\n-]/.test(text.slice(0, 512)));
}
