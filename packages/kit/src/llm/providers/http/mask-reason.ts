/** Longest part of a provider's reason that is passed on, in characters. */
const maxLength = 500;

/** Read of a reason at all: enough room for one that is masked before it is cut, or a key at the cut would show its first half. */
const maxRead = 4 * maxLength;

/**
 * A provider's reason, safe to show to the client whose request it is about: one line, bounded, and without anything
 * that looks like a credential, since providers quote the key that they refuse. `secrets` are the keys that it was sent:
 * those of a server of somebody's own may look like anything.
 */
export function maskReason(message: string | undefined, secrets: readonly string[] = []): string | undefined {
  if (message === undefined || message === '') return undefined;
  let text = message.slice(0, maxRead);
  for (const secret of secrets) if (secret !== '') text = text.replaceAll(secret, '[masked]');
  return text
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .replace(/\b(?:sk|pk|rk|hf|gsk|xai|AIza|Bearer)[-_ ][A-Za-z0-9*._~+/=-]{6,}/g, '[masked]')
    .replace(/\b[A-Za-z0-9_-]{32,}\b/g, '[masked]')
    .slice(0, maxLength);
}
