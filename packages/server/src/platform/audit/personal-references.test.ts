import { createHash } from 'node:crypto';
import { systemRandom } from '@holdfast/kit/time';
import { expect, test } from 'vitest';
import { createKeyRing } from '../keyring/index.ts';
import { isReferenceOf, PersonalReferences, maxPersonalLength } from './personal-references.ts';

const organization = '01970000-0001-7000-8000-000000000001';
const other = '01970000-0001-7000-8000-000000000002';
const noon = Date.UTC(2026, 10, 20, 12);
const day = 86_400_000;

const key = (version: number, fill: number) => ({ version, secret: Buffer.alloc(32, fill) });
const create = (maxKept?: number, keys = [key(1, 1)]) =>
  new PersonalReferences({ keyRing: createKeyRing(keys), random: systemRandom, ...(maxKept !== undefined && { maxKept }) });

test('a reference is the hash of salt and value, which anybody can compute who has both', () => {
  const { ref, row } = create().fresh(organization, 'name', 'Änne 🦊', noon);
  expect(ref).toBe(createHash('sha256').update(row!.salt).update('Änne 🦊').digest('base64url'));
  expect(ref).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect([isReferenceOf(ref, row!.salt, 'Änne 🦊'), isReferenceOf(ref, row!.salt, 'Anne')]).toStrictEqual([true, false]);
});

test('one value has one reference a day, kind and organization, and another one the next day', () => {
  const references = create();
  const at = (organizationId: string | null, kind: 'ip' | 'name', atMs: number) =>
    references.daily(organizationId, kind, '203.0.113.7', atMs).ref;
  const first = at(organization, 'ip', noon);
  expect(at(organization, 'ip', noon + day / 2 - 1)).toBe(first);
  const different = [at(other, 'ip', noon), at(null, 'ip', noon), at(organization, 'name', noon), at(organization, 'ip', noon + day / 2)];
  expect(new Set([first, ...different]).size).toBe(5);
});

test('fresh ones are never the same, so no two transactions write one row', () => {
  const references = create();
  expect(references.fresh(null, 'ip', 'x', noon).ref).not.toBe(references.fresh(null, 'ip', 'x', noon).ref);
});

test('what is stored gives the value back, also after the master key was rotated, and to nobody else', () => {
  const row = create().fresh(organization, 'text', 'gone on holiday', noon).row!;
  expect(create(undefined, [key(2, 2), key(1, 1)]).reveal(row)).toBe('gone on holiday');
  expect(create(undefined, [key(1, 3)]).reveal(row)).toBeUndefined();
  expect(row.sealed.includes('holiday')).toBe(false);
});

test('a row that was changed or put in the place of another is no evidence', () => {
  const references = create();
  const [one, two] = ['one', 'two'].map((value) => references.fresh(organization, 'name', value, noon).row!);
  expect(references.reveal({ ...one!, sealed: two!.sealed })).toBeUndefined();
  expect(references.reveal({ ...one!, salt: two!.salt })).toBeUndefined();
  expect(references.reveal({ ...one!, ref: two!.ref })).toBeUndefined();
  expect(references.reveal({ ...one!, sealed: Buffer.alloc(3) })).toBeUndefined();
});

test('all references of a value are found by its tags, under every version of the master key', () => {
  const before = create(undefined, [key(1, 1)]).fresh(organization, 'end_user', 'anna', noon).row!;
  const rotated = create(undefined, [key(2, 2), key(1, 1)]);
  const after = rotated.fresh(organization, 'end_user', 'anna', noon).row!;
  const tags = rotated.tags(organization, 'end_user', 'anna').map((tag) => tag.toString('hex'));
  expect([before.tag, after.tag].map((tag) => tags.includes(tag.toString('hex')))).toStrictEqual([true, true]);
  for (const tag of [
    rotated.tags(other, 'end_user', 'anna'),
    rotated.tags(organization, 'name', 'anna'),
    rotated.tags(organization, 'end_user', 'ann'),
  ])
    expect(tags).not.toContain(tag[0]!.toString('hex'));
});

test('who sends new values for ever fills no memory', () => {
  const references = create(3);
  const first = references.daily(organization, 'end_user', '1', noon).ref;
  for (const value of ['2', '3']) references.daily(organization, 'end_user', value, noon);
  expect(references.daily(organization, 'end_user', '1', noon).ref).toBe(first);
  references.daily(organization, 'end_user', '4', noon);
  expect(references.daily(organization, 'end_user', '1', noon).ref).not.toBe(first);
});

test('a value that was erased is referred to anew', () => {
  const references = create();
  const first = references.daily(organization, 'end_user', 'anna', noon).ref;
  references.forget(organization, 'end_user', 'anna');
  expect(references.daily(organization, 'end_user', 'anna', noon).ref).not.toBe(first);
});

test('a long value is cut, never in the middle of a character', () => {
  const references = create();
  const { row } = references.fresh(null, 'text', `${'x'.repeat(maxPersonalLength - 1)}🦊`, noon);
  expect(references.reveal(row!)).toBe(`${'x'.repeat(maxPersonalLength - 1)}\ufffd`);
});
