import type { ShallowBody } from '../../spec/index.ts';

/** Larger requests are not searched, on a path that a provider which fails makes every call take: 32 KiB are some 100 µs. */
const mostSearchedBytes = 32 * 1024;

const withheld = '(not shown: the request is too large to take its words out)';

/** What providers say of requests, and what is said in every prompt: it tells nothing of one. */
const common: ReadonlySet<string> = new Set(
  `the and for are was were not has have had with without from that this these those than then too very can cannot could may must should would will
  your you our its been being one two more most less least also only any all each other same such when where which while who why how what
  access account allowed answer api assistant available balance billing cannot capacity check code content context contact count credit credits
  current currently deployment details does due engine error errors exceed exceeded exceeds exist exists expected expired failed failure feature
  field found function given high input internal invalid json key large later length limit limits long low malformed max maximum message messages
  minute minutes missing mode model models name none number object occurred organization output overloaded parameter parameters param
  payment per period permission plan please policy processing project provided provider quota rate reached rejected request requests required
  response retry role safety second seconds server service size something stop stream string support supported system temporarily text
  time timeout token tokens tool tools try type unable unavailable unexpected unknown unsupported upstream usage use user value wrong`.split(
    /\s+/,
  ),
);

/**
 * A provider's words as they may stand in a log: without those of the request, which providers like to quote ("cannot answer: <the prompt>").
 * Any word of three letters or digits and more that the body has becomes `…`, but for those that say nothing of it; so what
 * concerns the operator (credit, quota, a key that expired) can still be read.
 */
export function withoutWords(reason: string | undefined, body: ShallowBody): string | undefined {
  if (reason === undefined) return undefined;
  if (body.bytes.length > mostSearchedBytes) return withheld;
  const raw = body.bytes.toString('utf8');
  // An escaped letter is the same letter to whoever quotes it.
  const text = (raw.includes('\\u') ? JSON.stringify(body.value) : raw).toLowerCase();
  return reason
    .replaceAll(/[\p{L}\p{N}\p{M}_]{3,}/gu, (word) => {
      const lower = word.toLowerCase();
      return !common.has(lower) && text.includes(lower) ? '…' : word;
    })
    .replaceAll(/…(?:[^\p{L}\p{N}]+…)+/gu, '…');
}
