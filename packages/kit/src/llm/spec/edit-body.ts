import type { ShallowBody } from './shallow-body.ts';

/** New JSON text for top-level members. A member that is not there is added in front. */
export type BodyEdits = Readonly<Record<string, string>>;

/** The body's bytes with some top-level values replaced; every other byte stays as it came. */
export function editBody(body: ShallowBody, edits: BodyEdits): Buffer {
  const cuts: { start: number; end: number; text: string }[] = [];
  let added = '';
  for (const [name, text] of Object.entries(edits)) {
    const range = body.members.get(name);
    if (range) cuts.push({ start: range[0], end: range[1], text });
    else added += `${JSON.stringify(name)}:${text},`;
  }
  cuts.sort((a, b) => a.start - b.start);
  const { bytes } = body;
  const parts: Buffer[] = [];
  let at = 0;
  if (added !== '') {
    at = bytes.indexOf(0x7b) + 1;
    // An empty object takes no comma behind what is put into it.
    parts.push(bytes.subarray(0, at), Buffer.from(body.members.size === 0 ? added.slice(0, -1) : added));
  }
  for (const cut of cuts) {
    parts.push(bytes.subarray(at, cut.start), Buffer.from(cut.text));
    at = cut.end;
  }
  parts.push(bytes.subarray(at));
  return Buffer.concat(parts);
}
