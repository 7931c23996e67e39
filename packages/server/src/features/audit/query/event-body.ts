import type { AuditEventBody } from '@holdfast/contracts';
import { loggedEventOf } from './logged-event.ts';
import type { LoggedLeaf } from './read-events.ts';

/** What references stand for, by reference: those that were not erased. */
export type Revealed = ReadonlyMap<string, { readonly kind: string; readonly value: string }>;

const reference = /^[A-Za-z0-9_-]{43}$/;

/** An event as the API shows it: what was hashed, and nothing that the columns beside it say. */
export function toEventBody({ index, leaf }: LoggedLeaf, revealed?: Revealed): AuditEventBody {
  const { v: _, ...event } = loggedEventOf(leaf);
  const body = { index, ...event } as unknown as AuditEventBody;
  if (revealed === undefined) return body;
  const personal = Object.fromEntries(
    referencesIn(event).flatMap((ref) => {
      const data = revealed.get(ref);
      return data === undefined ? [] : [[ref, { kind: data.kind, value: data.value }]];
    }),
  );
  return { ...body, personal };
}

/** Every text in an event that may be a reference, each once: more than there are does no harm. */
export function referencesIn(value: unknown): string[] {
  const found = new Set<string>();
  const look = (part: unknown): void => {
    if (typeof part === 'string') {
      if (reference.test(part)) found.add(part);
    } else if (typeof part === 'object' && part !== null) Object.values(part).forEach(look);
  };
  look(value);
  return [...found];
}
