import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  auditLeafText,
  createCheckpointSigner,
  hashLeaf,
  CompactRange,
  signCheckpoint,
  verifierKey,
  writeExport,
} from '@holdfast/kit/audit';
import { systemClock } from '@holdfast/kit/time';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runCli, type CliDependencies } from './index.ts';

// `holdfast audit verify <file>`: for who has the file and the public key, and nothing else of ours.

const origin = 'holdfast/log';
const organization = '019a9c5a-0000-7000-8000-000000000001';
const { privateKey } = generateKeyPairSync('ed25519');
let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-verify-'));
  const tree = new CompactRange();
  const sign = () => signCheckpoint({ origin, size: tree.size, root: tree.root() }, [createCheckpointSigner(origin, privateKey)], 0);
  const leaves = [1, 2, 3].map((number) =>
    auditLeafText(
      {
        v: 1,
        id: `019a9c5a-0000-7000-8000-00000000000${number}`,
        at: '2026-11-20T09:00:00.000Z',
        type: 'key.created',
        outcome: 'success',
        organization_id: organization,
        actor: { type: 'operator' },
        resource: null,
      },
      number,
    ),
  );
  tree.append(hashLeaf(Buffer.from(leaves[0]!)));
  writeFileSync(at('kept.txt'), sign());
  for (const leaf of leaves.slice(1)) tree.append(hashLeaf(Buffer.from(leaf)));
  let text = '';
  for await (const part of writeExport({
    origin,
    organizationId: organization,
    checkpoint: { size: 3, note: sign() },
    pages: [leaves.map((leaf, index) => ({ index, leaf }))],
    readNodes: () => Promise.reject(new Error('nothing is left out')),
  }))
    text += part;
  writeFileSync(at('export.jsonl'), text);
  writeFileSync(at('changed.jsonl'), text.replace('success', 'failure'));
  writeFileSync(at('keys.txt'), `# the log\n${verifierKey(origin, privateKey)}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function verify(...words: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly error: string }> {
  let [out, error] = ['', ''];
  const unused = new Proxy({}, { get: () => expect.fail('nothing of ours is needed') }) as CliDependencies;
  const dependencies = { ...unused, version: '1.2.3', cwd: folder, clock: systemClock };
  const terminal = { out: (text: string) => void (out += text), error: (text: string) => void (error += text), interactive: false };
  const code = await runCli(['audit', 'verify', ...words], dependencies, terminal);
  return { code, out, error };
}

test('says what was verified, with a key as it is or in a file', async () => {
  const key = verifierKey(origin, privateKey);
  for (const given of [key, at('keys.txt')]) {
    const { code, out } = await verify(
      at('export.jsonl'),
      '--key',
      given,
      '--checkpoint',
      at('kept.txt'),
      '--organization',
      organization,
      '--first-number',
      '1',
    );
    expect([code, out]).toEqual([
      0,
      `Verified: 3 events of ${origin}, up to the checkpoint of 3.\n  ${organization}: events 1 to 3 (3)\nIt continues your checkpoint of 1.\n`,
    ]);
  }
  expect(await verify(at('kept.txt'), '--key', at('keys.txt'))).toMatchObject({
    code: 0,
    out: expect.stringContaining('had 1 events') as unknown,
  });
});

test('ends with 2 and names what is wrong', async () => {
  const changed = await verify(at('changed.jsonl'), '--key', at('keys.txt'));
  expect([changed.code, changed.out]).toEqual([2, expect.stringContaining('FAULT tree_changed')]);
  expect(JSON.parse((await verify(at('changed.jsonl'), '--key', at('keys.txt'), '--json')).out)).toMatchObject({ ok: false });
  const stranger = verifierKey(origin, generateKeyPairSync('ed25519').privateKey);
  expect(await verify(at('export.jsonl'), '--key', stranger)).toMatchObject({
    code: 2,
    out: expect.stringContaining('unsigned') as unknown,
  });
  expect(await verify(at('export.jsonl'), '--key', at('keys.txt'), '--last-number', '4')).toMatchObject({ code: 2 });
  expect(readFileSync(at('export.jsonl'), 'utf8')).not.toBe(readFileSync(at('changed.jsonl'), 'utf8'));
});

test('ends with 1 when it could not find out', async () => {
  expect(await verify(at('export.jsonl'))).toMatchObject({ code: 1, error: expect.stringContaining('--key') as unknown });
  expect(await verify(at('nothing.jsonl'), '--key', at('keys.txt'))).toMatchObject({
    code: 1,
    error: expect.stringContaining('ENOENT') as unknown,
  });
});
