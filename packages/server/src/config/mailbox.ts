import { text } from './value-types.ts';

/** `alerts@example.com`, or `Holdfast <alerts@example.com>`. No comma, no line break: one header of a mail, and one reader. */
export const mailbox = text(
  'a mail address, or a name and one: `Holdfast <alerts@example.com>`',
  /^(?:[^\p{Cc}<>,;@]*<[^\s\p{Cc}<>,;@]+@[^\s\p{Cc}<>,;@]+>|[^\s\p{Cc}<>,;@]+@[^\s\p{Cc}<>,;@]+)$/u,
);
