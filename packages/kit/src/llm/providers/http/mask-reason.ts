/** Longest part of a provider's reason that is passed on, in characters. */
const maxLength = 500;

/**
 * A provider's reason, safe to show to the client whose request it is about: one line, bounded, and without anything
 * that looks like a credential, since providers quote the key that they refuse.
 */
export function maskReason(message: string | undefined): string | undefined {
  if (message === undefined || message === '') return undefined;
  return message
    .slice(0, maxLength)
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .replace(/\b(?:sk|pk|rk|hf|gsk|xai|AIza|Bearer)[-_ ][A-Za-z0-9*._~+/=-]{6,}/g, '[masked]')
    .replace(/\b[A-Za-z0-9_-]{32,}\b/g, '[masked]');
}
