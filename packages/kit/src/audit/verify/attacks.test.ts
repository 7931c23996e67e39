import { createPrivateKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '../event/index.ts';
import { writeExport, type ExportedEvent, type WriteExportOptions } from '../export/index.ts';
import { CompactRange, hashLeaf, type TreeNode } from '../merkle/index.ts';
import { createCheckpointSigner, signCheckpoint, verifierKey } from '../note/index.ts';
import { linesOf, openCheckpoint, verifyExport, type VerifyExportOptions } from './index.ts';

// Every attack on a log that somebody could think of who keeps it, holds its database and has its signing key. What the
// verifier sees is an export and, where it says so, a checkpoint that was kept from before.

const origin = 'holdfast.example/log';
const seeded = createPrivateKey({
  key: Buffer.from('302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'),
  format: 'der',
  type: 'pkcs8',
});
const vkey = verifierKey(origin, seeded);
const [acme, other] = ['019a9c5a-0000-7000-8000-000000000001', '019a9c5a-0000-7000-8000-000000000002'] as const;
const startMs = Date.UTC(2026, 10, 20, 9);

interface Planned {
  readonly organizationId: string | null;
  readonly atMs?: number;
  readonly outcome?: string;
  readonly number?: number;
}

/** A log as who keeps it has it: leaves, hashes of nodes, and a key to sign whatever he wants. */
class Log {
  readonly leaves: string[] = [];
  readonly #tree = new CompactRange();
  readonly #nodes = new Map<string, Buffer>();
  readonly #numbers = new Map<string | null, number>();
  readonly #notes = new Map<number, string>();

  readonly #key: KeyObject;

  constructor(key: KeyObject = seeded) {
    this.#key = key;
  }

  static of(events: readonly Planned[], key?: KeyObject): Log {
    const log = new Log(key);
    for (const event of events) log.add(event);
    return log;
  }

  add({ organizationId, atMs = startMs + this.leaves.length * 1_000, outcome = 'success', number }: Planned): this {
    const next = number ?? (this.#numbers.get(organizationId) ?? 0) + 1;
    this.#numbers.set(organizationId, next);
    const leaf = canonicalJson({
      v: 1,
      at: new Date(atMs).toISOString(),
      type: 'key.created',
      outcome,
      organization_id: organizationId,
      number: next,
      details: { leaf: this.leaves.length },
    });
    return this.append(leaf);
  }

  append(leaf: string): this {
    this.leaves.push(leaf);
    this.#tree.append(hashLeaf(Buffer.from(leaf)), ({ level, index }, bytes) => this.#nodes.set(`${level}/${index}`, bytes));
    return this;
  }

  get size(): number {
    return this.leaves.length;
  }

  /** Signs what the log is now. */
  checkpoint(): string {
    const note = signCheckpoint({ origin, size: this.size, root: this.#tree.root() }, [createCheckpointSigner(origin, this.#key)], 0);
    this.#notes.set(this.size, note);
    return note;
  }

  readonly readNodes = async (nodes: readonly TreeNode[]): Promise<Buffer[]> =>
    nodes.map(({ level, index }) => this.#nodes.get(`${level}/${index}`)!);

  /** The lines of an export, as honest code writes them. */
  async export(options: Partial<WriteExportOptions> & { readonly pageSize?: number } = {}): Promise<string[]> {
    const { organizationId, pageSize = 4 } = options;
    const events = this.leaves
      .map((leaf, index): ExportedEvent => ({ index, leaf }))
      .filter(
        ({ leaf }) => organizationId === undefined || (JSON.parse(leaf) as { organization_id: unknown }).organization_id === organizationId,
      );
    const pages = Array.from({ length: Math.ceil(events.length / pageSize) }, (_, page) =>
      events.slice(page * pageSize, (page + 1) * pageSize),
    );
    let text = '';
    for await (const part of writeExport({
      origin,
      checkpoint: { size: this.size, note: this.checkpoint() },
      pages,
      readNodes: this.readNodes,
      checkpointFrom: async (size) => {
        const found = [...this.#notes].sort(([a], [b]) => a - b).find(([of]) => of >= size);
        return found && { size: found[0], note: found[1] };
      },
      ...options,
    }))
      text += part;
    return text.split('\n').slice(0, -1);
  }
}

const turns = (length: number): Planned[] =>
  Array.from({ length }, (_, at) => ({ organizationId: at % 3 === 0 ? other : at % 7 === 0 ? null : acme }));

async function judge(lines: readonly string[], options: Partial<VerifyExportOptions> = {}) {
  const report = await verifyExport(lines, { verifierKeys: [vkey], ...options });
  return { ...report, findings: report.faults.map(({ finding }) => finding) };
}
const keep = (note: string) => openCheckpoint(note, [vkey], origin);
const isEvent = (line: string) => !line.startsWith('{"audit"');
/** Of the events of an export, not of all of its lines. */
const changeEvents = (lines: readonly string[], change: (events: string[]) => string[]): string[] => {
  const [head, rest] = [lines.slice(0, 1), lines.slice(1)];
  return [...head, ...change(rest.filter(isEvent)), ...rest.filter((line) => !isEvent(line))];
};

describe('an honest export', () => {
  test('of the whole log verifies, with every series complete', async () => {
    const report = await judge(await Log.of(turns(50)).export());
    expect(report).toMatchObject({ ok: true, scope: 'log', events: 50, faultCount: 0, checkpoint: { origin, size: 50 } });
    expect(report.series.map(({ first, last, events }) => [first, last - events])).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ]);
  });

  test('of one organization verifies without showing an event of another', async () => {
    const lines = await Log.of(turns(50)).export({ organizationId: acme });
    expect(lines.filter(isEvent).every((line) => line.includes(acme))).toBe(true);
    expect(await judge(lines, { organizationId: acme, firstNumber: 1 })).toMatchObject({ ok: true, scope: 'organization' });
  });

  test('of nothing verifies', async () => {
    expect(await judge(await new Log().export())).toMatchObject({ ok: true, events: 0, checkpoint: { size: 0 } });
    expect(await judge(await Log.of(turns(7)).export({ organizationId: '019a9c5a-0000-7000-8000-00000000000f' }))).toMatchObject({
      ok: true,
      events: 0,
    });
  });

  test('verifies for whatever organizations, pages, checkpoints between and sizes kept', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(acme, other, null), { maxLength: 40 }),
        fc.option(fc.constantFrom(acme, other, null), { nil: undefined }),
        fc.integer({ min: 1, max: 9 }),
        fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 5 }),
        fc.uniqueArray(fc.nat({ max: 40 }), { maxLength: 3 }),
        async (organizations, organizationId, pageSize, signedAt, keptAt) => {
          const log = new Log();
          const kept: string[] = [];
          for (let size = 0; ; size++) {
            if (signedAt.includes(size) || keptAt.includes(size)) {
              const note = log.checkpoint();
              if (keptAt.includes(size)) kept.push(note);
            }
            if (size === organizations.length) break;
            log.add({ organizationId: organizations[size]! });
          }
          const heads = await Promise.all(kept.map(keep));
          const lines = await log.export({ organizationId, pageSize, stops: heads.map(({ size }) => size) });
          const report = await judge(lines, { kept: heads, ...(organizationId !== undefined && { organizationId }) });
          expect(report.faults).toEqual([]);
          expect(report.ok).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('says what references stand for, until that is erased', async () => {
    const salt = Buffer.alloc(16, 7);
    const value = '203.0.113.7';
    const ref = hash('sha256', Buffer.concat([salt, Buffer.from(value)]), 'base64url');
    const log = new Log().append(canonicalJson({ at: '2026-11-20T09:00:00.000Z', client: { ip: ref }, number: 1, organization_id: null }));
    const personal = [{ ref, kind: 'ip', salt: salt.toString('base64url'), value }];
    const lines = await log.export({ pages: [[{ index: 0, leaf: log.leaves[0]!, personal }]] });
    expect(await judge(lines)).toMatchObject({ ok: true });
    expect((await judge(lines.map((line) => line.replace(value, '203.0.113.8')))).findings).toEqual(['personal_mismatch']);
    expect(await judge(await log.export())).toMatchObject({ ok: true });
  });

  test('is read from bytes however they are cut', async () => {
    const lines = await Log.of(turns(5)).export();
    const bytes = Buffer.from(`${lines.join('\n')}\n`.replaceAll('key.created', 'key.créated'));
    async function* chunks(size: number) {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    for (const size of [1, 7, 100_000]) {
      const read: string[] = [];
      for await (const line of linesOf(chunks(size))) read.push(line);
      expect(read.join('\n')).toBe(bytes.toString().trimEnd());
    }
    const broken = async () => {
      for await (const _ of linesOf(
        (async function* () {
          yield Buffer.from([0x7b, 0xff, 0x0a]);
        })(),
      ));
    };
    await expect(broken()).rejects.toMatchObject({ finding: 'malformed' });
  });
});

describe.each([
  ['the whole log', undefined],
  ['an organization', acme],
] as const)('in an export of %s', (_name, organizationId) => {
  const honest = () => Log.of(turns(40)).export({ organizationId });

  test('a changed event is found', async () => {
    const lines = await honest();
    const changed = changeEvents(lines, (events) => events.with(3, events[3]!.replace('"success"', '"denied"')));
    expect(changed).not.toEqual(lines);
    expect(await judge(changed)).toMatchObject({ ok: false, findings: ['tree_changed'], checkpoint: undefined });
  });

  test('a dropped event is named by its number', async () => {
    const lines = await honest();
    const gone = JSON.parse(lines.filter(isEvent)[5]!) as { number: number };
    const report = await judge(lines.filter((line) => line !== lines.filter(isEvent)[5]));
    expect(report.ok).toBe(false);
    expect(report.faults[0]).toMatchObject({ finding: 'event_dropped', number: gone.number });
  });

  test('events that changed places are found', async () => {
    const report = await judge(changeEvents(await honest(), (events) => events.with(4, events[5]!).with(5, events[4]!)));
    expect(report.ok).toBe(false);
    expect(report.findings).toContain('tree_changed');
  });

  test('an event that was put in is found', async () => {
    const report = await judge(changeEvents(await honest(), (events) => events.toSpliced(4, 0, events[4]!.replace('success', 'failure'))));
    expect(report.ok).toBe(false);
    expect(report.findings).toContain('event_out_of_order');
  });

  test('an end that was cut off is found', async () => {
    const lines = await honest();
    for (const kept of [1, 5, lines.length - 1]) expect((await judge(lines.slice(0, kept))).findings).toContain('cut_off');
    expect((await judge(lines.slice(0, -4).concat(lines.slice(-1)))).ok).toBe(false);
  });

  test('an event behind the last checkpoint is proved by nothing', async () => {
    const lines = await honest();
    const last = JSON.parse(lines.filter(isEvent).at(-1)!) as { number: number };
    const more = canonicalJson({ ...last, number: last.number + 1 });
    expect(await judge([...lines, more])).toMatchObject({ ok: false, findings: ['cut_off'], checkpoint: undefined });
  });

  test('every event gone is found', async () => {
    expect((await judge(changeEvents(await honest(), () => []))).ok).toBe(false);
  });

  test('any other byte in any line is found', async () => {
    const lines = await honest();
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: lines.length - 1 }),
        fc.nat(),
        fc.constantFrom('x', '0', '"', ' ', '}'),
        async (line, place, character) => {
          const at = place % lines[line]!.length;
          if (lines[line]![at] === character) return;
          const changed = lines.with(line, lines[line]!.slice(0, at) + character + lines[line]!.slice(at + 1));
          const report = await judge(changed, { origin, organizationId });
          // The first line is not signed; a larger size or another spelling of it changes nothing that is proved.
          if (line > 0) expect(report.ok).toBe(false);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a replaced signing key is found', async () => {
    const own = generateKeyPairSync('ed25519').privateKey;
    const forged = await Log.of(turns(40), own).export({ organizationId });
    expect(await judge(forged)).toMatchObject({ ok: false, findings: ['unsigned'] });
  });

  test('an export of another log is found', async () => {
    expect((await judge(await honest(), { origin: 'holdfast.example/another' })).findings).toContain('origin_unexpected');
  });
});

describe('with the signing key and the database in the hands of the attacker, a kept checkpoint', () => {
  const at20 = async () => keep(Log.of(turns(20)).checkpoint());

  test('finds an event of the past that was changed', async () => {
    const forged = Log.of(turns(40).with(7, { organizationId: acme, outcome: 'denied' }));
    expect((await judge(await forged.export())).ok).toBe(true);
    const report = await judge(await forged.export(), { kept: [await at20()] });
    expect(report).toMatchObject({ ok: false, findings: ['consistency_invalid'], keptChecked: [] });
  });

  test.each([
    ['dropped, and all numbers given anew', (events: Planned[]) => events.toSpliced(8, 1)],
    ['put in', (events: Planned[]) => events.toSpliced(8, 0, { organizationId: acme })],
    ['moved', (events: Planned[]) => events.with(8, events[9]!).with(9, events[8]!)],
  ])('finds an event of the past that was %s', async (_name, rewrite) => {
    const forged = Log.of(rewrite(turns(40)));
    expect((await judge(await forged.export())).ok).toBe(true);
    expect((await judge(await forged.export(), { kept: [await at20()] })).findings).toEqual(['consistency_invalid']);
    const ofOne = await forged.export({ organizationId: acme, stops: [20] });
    expect((await judge(ofOne, { kept: [await at20()] })).findings).toEqual(['consistency_invalid']);
  });

  test('finds a cut end, a deleted log and an old backup put back', async () => {
    for (const size of [19, 1, 0]) {
      const back = Log.of(turns(size));
      expect((await judge(await back.export())).ok).toBe(true);
      expect((await judge(await back.export(), { kept: [await at20()] })).findings).toEqual(['rolled_back']);
    }
  });

  test('finds an old backup put back that went on since', async () => {
    const back = Log.of([...turns(15), ...Array.from({ length: 30 }, () => ({ organizationId: other, outcome: 'failure' }))]);
    expect((await judge(await back.export(), { kept: [await at20()] })).findings).toEqual(['consistency_invalid']);
  });

  test('finds a fork: another log of the same size', async () => {
    const fork = Log.of(turns(20).with(19, { organizationId: other, outcome: 'failure' }));
    expect((await judge(await fork.export(), { kept: [await at20()] })).findings).toEqual(['forked']);
  });

  test('of somebody else finds a split view: different people were shown different logs', async () => {
    const shown = Log.of(turns(20).with(3, { organizationId: other, outcome: 'denied' }));
    const toUs = await keep(Log.of(turns(30)).checkpoint());
    const toThem = await keep(shown.checkpoint());
    const lines = await Log.of(turns(30)).export({ stops: [20] });
    expect((await judge(lines, { kept: [toUs, toThem] })).findings).toEqual(['consistency_invalid']);
  });

  test('that the export passes over is named, and not taken for good', async () => {
    const lines = await Log.of(turns(40)).export({ organizationId: '019a9c5a-0000-7000-8000-00000000000f' });
    expect((await judge(lines, { kept: [await at20()] })).findings).toEqual(['kept_not_covered']);
  });

  test('of the same log is continued', async () => {
    expect(await judge(await Log.of(turns(40)).export(), { kept: [await at20()] })).toMatchObject({ ok: true, keptChecked: [20] });
  });
});

describe('further attacks', () => {
  test('a clock that was set back is named where it begins, once', async () => {
    const events = turns(20).map((event, at) => ({ ...event, atMs: startMs + at * 1_000 - (at >= 10 && at < 15 ? 86_400_000 : 0) }));
    const report = await judge(await Log.of(events).export());
    expect(report.faults).toMatchObject([{ finding: 'time_backwards', severity: 'warning', index: 10 }]);
    // A spill that was replayed looks the same: it does not make the log bad.
    expect(report.ok).toBe(true);
  });

  test('a number that was never given is missed, whoever signs', async () => {
    const report = await judge(await Log.of([...turns(9), { organizationId: acme, number: 99 }]).export({ organizationId: acme }));
    expect(report.faults).toMatchObject([
      { finding: 'event_dropped', message: expect.stringMatching(/^events \d+ to 98 are missing/) as unknown },
    ]);
  });

  test('leaves of the organization hidden among those of others are missed by their numbers', async () => {
    const log = Log.of(turns(40));
    const events = log.leaves.map((leaf, index) => ({ index, leaf })).filter(({ leaf }) => leaf.includes(acme));
    const hidden = await log.export({ organizationId: acme, pages: [events.toSpliced(4, 2)] });
    expect((await judge(hidden)).faults).toMatchObject([{ finding: 'event_dropped', number: 5 }]);
    const noBeginning = await log.export({ organizationId: acme, pages: [events.slice(3)] });
    expect((await judge(noBeginning, { firstNumber: 1 })).faults).toMatchObject([{ finding: 'event_dropped', number: 1 }]);
    const noEnd = await log.export({ organizationId: acme, pages: [events.slice(0, -2)] });
    expect((await judge(noEnd, { lastNumber: events.length })).faults).toMatchObject([
      { finding: 'event_dropped', number: events.length - 1 },
    ]);
  });

  test('leaves of the whole log can be gone at its beginning alone', async () => {
    const log = Log.of(turns(40));
    const events = log.leaves.map((leaf, index) => ({ index, leaf }));
    expect(await judge(await log.export({ pages: [events.slice(10)] }))).toMatchObject({ ok: true, events: 30 });
    expect((await judge(await log.export({ pages: [events.toSpliced(20, 5)] }))).findings).toContain('event_dropped');
  });

  test('an event of somebody else is found', async () => {
    const lines = await Log.of(turns(12)).export({ organizationId: acme });
    expect((await judge(lines, { organizationId: other })).findings[0]).toBe('event_foreign');
    const log = Log.of(turns(12));
    const mixed = await log.export({ organizationId: acme, pages: [log.leaves.map((leaf, index) => ({ index, leaf }))] });
    expect((await judge(mixed)).findings).toContain('event_foreign');
  });

  test('an event with two readings is found, though it was logged so', async () => {
    const twice = '{"at":"2026-11-20T09:00:00.000Z","number":1,"organization_id":null,"outcome":"denied","outcome":"success"}';
    expect((await judge(await new Log().append(twice).export())).findings).toEqual(['event_malformed']);
    expect((await judge(await new Log().append('{"number":1}').export())).findings).toEqual(['event_malformed']);
    const deep = `{"at":"2026-11-20T09:00:00.000Z","details":${'['.repeat(50_000)}${']'.repeat(50_000)},"number":1,"organization_id":null}`;
    expect((await judge(await new Log().append(deep).export())).findings).toEqual(['event_malformed']);
  });

  test('checkpoints in between tell where a change is', async () => {
    const log = new Log();
    for (const event of turns(40)) {
      log.add(event);
      if (log.size % 8 === 0) log.checkpoint();
    }
    const lines = await log.export({ pageSize: 8 });
    expect(lines.filter((line) => line.startsWith('{"audit":"checkpoint"')).length).toBeGreaterThan(2);
    const place = lines.findIndex((line) => line.includes('"leaf":18'));
    const report = await judge(lines.with(place, lines[place]!.replace('success', 'failure')));
    expect(report.faults).toMatchObject([
      { finding: 'tree_changed', index: 16, message: expect.stringContaining('leaves 16 to') as unknown },
    ]);
  });

  test.each([
    ['nothing at all', []],
    ['no header', ['{"number":1}']],
    ['another format', ['{"audit":"export","format":2,"origin":"a","scope":"log","size":0}']],
    ['no JSON', ['{']],
    ['a list', ['[]']],
  ])('%s is no export', async (_name, lines) => {
    expect((await judge(lines)).ok).toBe(false);
  });

  test.each([
    '{"audit":"skip"}',
    '{"audit":"skip","subtrees":[[60,"AAAA"]]}',
    '{"audit":"skip","subtrees":[3]}',
    '{"audit":"checkpoint"}',
    '{"audit":"other"}',
    'null',
    '{"audit":"personal"}',
  ])('the line %s is malformed', async (line) => {
    const lines = await Log.of(turns(3)).export();
    expect((await judge(lines.toSpliced(2, 0, line))).findings).toContain('malformed');
  });

  test('a verifier key with a typing error is said, and not taken for a missing signature', async () => {
    await expect(judge(await new Log().export(), { verifierKeys: [vkey.slice(0, -3)] })).rejects.toMatchObject({ finding: 'malformed' });
  });

  test('faults are counted beyond the first hundred', async () => {
    const lines = await Log.of(Array.from({ length: 130 }, () => ({ organizationId: acme, number: 1 }))).export();
    const report = await judge(lines);
    expect([report.faults.length, report.faultCount]).toEqual([100, 129]);
  });
});
