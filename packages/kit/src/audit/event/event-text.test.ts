import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hashLeaf } from '../merkle/index.ts';
import {
  auditEventText,
  auditLeafText,
  isAuditEvent,
  maxAuditEventBytes,
  numberAuditEvent,
  parseAuditEvent,
  parseAuditLeaf,
  readAuditEvent,
  type AuditEvent,
} from './index.ts';

interface Vector {
  readonly about: string;
  readonly event: AuditEvent;
  readonly number: number;
  readonly text: string;
  readonly leaf: string;
  readonly leaf_hash: string;
}
const { vectors } = JSON.parse(readFileSync(new URL('test-vectors.json', import.meta.url), 'utf8')) as { vectors: Vector[] };

const event = vectors[0]!.event;
const changed = (members: Record<string, unknown>): AuditEvent => ({ ...event, ...members }) as AuditEvent;

describe('the published vectors', () => {
  test.each(vectors.map((vector) => [vector.about, vector] as const))('%s', (_, vector) => {
    expect(auditEventText(vector.event)).toBe(vector.text);
    expect(parseAuditEvent(vector.text)).toEqual(vector.event);
    expect(auditLeafText(vector.event, vector.number)).toBe(vector.leaf);
    expect(readAuditEvent(vector.text)).toEqual({ event: vector.event, text: vector.text });
    expect(readAuditEvent(JSON.stringify(vector.event, undefined, 1)).text).toBe(vector.text);
    expect(numberAuditEvent(vector.text, vector.number)).toBe(vector.leaf);
    expect(hashLeaf(Buffer.from(vector.leaf)).toString('hex')).toBe(vector.leaf_hash);
    expect(parseAuditLeaf(vector.leaf)).toEqual({ ...vector.event, number: vector.number });
  });
});

test.each([
  ['v', 2],
  ['id', event.id.toUpperCase()],
  ['id', undefined],
  ['at', '2026-11-20T18:22:00Z'],
  ['at', '2026-02-30T18:22:00.000Z'],
  ['at', '2026-11-20T18:22:00.000+01:00'],
  ['at', '1969-12-31T23:59:59.999Z'],
  ['type', 'created'],
  ['type', `key.${'c'.repeat(61)}`],
  ['outcome', 'ok'],
  ['organization_id', undefined],
  ['organization_id', 'acme'],
  ['actor', null],
  ['actor', { type: 'robot' }],
  ['actor', { type: 'user', id: '' }],
  ['actor', { type: 'user', id: 'a\u0000' }],
  ['actor', { type: 'user', user_id: 'me' }],
  ['actor', { type: 'user', name: 'Ada' }],
  ['resource', undefined],
  ['resource', { type: 'API key' }],
  ['resource', { type: 'api_key', id: 'x'.repeat(301) }],
  ['request_id', 'a\nb'],
  ['client', { ip: '192.0.2.1' }],
  ['details', []],
  ['details', 'text'],
  ['number', 3],
  ['organisation_id', null],
])('an event with the %s %j is none', (name, value) => {
  const wrong = changed({ [name]: value });
  expect(isAuditEvent(wrong)).toBe(false);
  expect(() => auditEventText(wrong)).toThrow(new RegExp(`look at its "${name}"`));
});

test.each([
  ['a fraction', { share: 0.5 }],
  ['half of a surrogate pair', { text: '\ud800' }],
  ['what is no JSON', { at: new Date(0) }],
])('details with %s are none', (_, details) => {
  expect(() => auditEventText(changed({ details }))).toThrow(TypeError);
});

test('what is no object is no event', () => {
  for (const value of [null, 'x', 1, [event]]) expect(isAuditEvent(value)).toBe(false);
  expect(() => parseAuditEvent('[]')).toThrow(/no object/);
});

test('an event is bounded', () => {
  const room = maxAuditEventBytes - Buffer.byteLength(auditEventText(changed({ details: { text: '' } })));
  expect(Buffer.byteLength(auditEventText(changed({ details: { text: 'x'.repeat(room) } })))).toBe(maxAuditEventBytes);
  expect(() => auditEventText(changed({ details: { text: 'x'.repeat(room + 1) } }))).toThrow(RangeError);
});

test('numbers begin with 1', () => {
  for (const number of [0, -1, 1.5, 2 ** 53]) expect(() => auditLeafText(event, number)).toThrow(RangeError);
});

test('a leaf in another form than the one is told, for it hashes to something else', () => {
  const { leaf } = vectors[0]!;
  expect(() => parseAuditLeaf(`${leaf} `)).toThrow(/canonical/);
  expect(() => parseAuditLeaf(JSON.stringify({ z: 1, ...(JSON.parse(leaf) as object) }))).toThrow(/"z"/);
  expect(() => parseAuditLeaf(vectors[0]!.text)).toThrow(/"number"/);
});

test('a number stands where it belongs, whatever an event says', () => {
  const tricky = ',"organization_id":';
  const odd = changed({
    organization_id: null,
    request_id: tricky,
    resource: { type: 'a', id: tricky },
    actor: { type: 'key', id: tricky },
    details: { organization_id: tricky, number: 7, z: { organization_id: 1 }, [tricky]: tricky },
  });
  const leaf = numberAuditEvent(auditEventText(odd), 12);
  expect(parseAuditLeaf(leaf)).toEqual({ ...odd, number: 12 });
});
