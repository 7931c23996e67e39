import { createPrivateKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CompactRange, hashLeaf, planInclusionProof } from '../merkle/index.ts';
import { openCheckpoint, openProof, VerificationError } from '../verify/index.ts';
import { cosignedMessage } from './cosigned-message.ts';
import { checkpointText, createCheckpointSigner, formatProof, publicKeyOf, signCheckpoint, verifierKey } from './index.ts';

const origin = 'holdfast.example/log';
/** RFC 8032's first test key, so that the bytes below stay the same. */
const ed25519 = createPrivateKey({
  key: Buffer.from('302e020100300506032b6570042204209d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex'),
  format: 'der',
  type: 'pkcs8',
});
/** Node has it from 24.7 on; the package runs on 22 too. */
const mlDsa44 = (() => {
  try {
    return (generateKeyPairSync as unknown as (type: string) => { privateKey: KeyObject })('ml-dsa-44').privateKey;
  } catch {
    return undefined;
  }
})();
const head = { origin, size: 3, root: hash('sha256', 'root', 'buffer') };
const vkey = verifierKey(origin, ed25519);
const note = signCheckpoint(head, [createCheckpointSigner(origin, ed25519)], 1_795_000_000);

describe('a checkpoint', () => {
  test('of another log in the wild is read and checked', async () => {
    // Issued by Go's checksum database in 2021, with the key that every Go installation carries.
    const golang = [
      'go.sum database tree',
      '6476701',
      'mb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=',
      '',
      '— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=',
      '',
    ].join('\n');
    const key = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8';
    expect(await openCheckpoint(golang, [key])).toMatchObject({
      origin: 'go.sum database tree',
      size: 6_476_701,
      verified: [key],
      unchecked: [],
    });
    await expect(openCheckpoint(golang.replace('6476701', '6476702'), [key])).rejects.toMatchObject({ finding: 'signature_invalid' });
  });

  test('has the form of tlog-checkpoint, byte for byte', () => {
    expect(checkpointText(head)).toBe(`${origin}\n3\n${head.root.toString('base64')}\n`);
    expect(note).toMatchInlineSnapshot(`
      "holdfast.example/log
      3
      SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=

      — holdfast.example/log n8LTYjYgkZ9n+WAhHOy8TIxus5d+oY3YJHlqqoQcRcbDqhnxM8pnfPSylQAcSF5K5X6TO1Qm55s0hzwY91o4euc6Jg8=
      "
    `);
    expect(vkey).toMatchInlineSnapshot(`"holdfast.example/log+9fc2d362+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea"`);
  });

  test('is opened with the key alone, and says what it said', async () => {
    const opened = await openCheckpoint(note, [vkey], origin);
    expect(opened).toMatchObject({ origin, size: 3, verified: [vkey] });
    expect(Buffer.from(opened.root)).toEqual(head.root);
  });

  test.runIf(mlDsa44)('holds against quantum computers with a line beside, and either key opens it', async () => {
    const signers = [createCheckpointSigner(origin, ed25519), createCheckpointSigner(origin, mlDsa44!)];
    const both = signCheckpoint(head, signers, 1_795_000_000);
    const keys = [vkey, verifierKey(origin, mlDsa44!)];
    expect((await openCheckpoint(both, keys)).verified).toEqual(keys);
    for (const key of keys) expect((await openCheckpoint(both, [key])).verified).toEqual([key]);
    const [, , , , first, second] = both.split('\n') as [string, string, string, string, string, string];
    // The time of the signature is signed with it.
    const bytes = Buffer.from(second.split(' ')[2]!, 'base64');
    bytes[11]! ^= 1;
    const moved = both.replace(second, `— ${origin} ${bytes.toString('base64')}`);
    await expect(openCheckpoint(moved, keys)).rejects.toMatchObject({ finding: 'signature_invalid' });
    expect(Buffer.byteLength(first)).toBeLessThan(200);
  });

  test('signs with ML-DSA-44 what tlog-cosignature says', () => {
    const message = cosignedMessage('w', 1, { origin: 'log', size: 2, root: Buffer.alloc(32, 0xee) });
    expect(message.toString('hex')).toBe(
      `${Buffer.from('subtree/v1\n').toString('hex')}00` +
        '0177' +
        '0000000000000001' +
        '036c6f67' +
        '0000000000000000' +
        '0000000000000002' +
        'ee'.repeat(32),
    );
  });

  test('is refused when a character of it is another', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: note.length - 1 }), fc.constantFrom('A', '1', '\n', ' ', '—', 'z'), async (at, character) => {
        if (note[at] === character) return;
        const changed = note.slice(0, at) + character + note.slice(at + 1);
        await expect(openCheckpoint(changed, [vkey], origin)).rejects.toBeInstanceOf(VerificationError);
      }),
      { numRuns: 300 },
    );
  });

  test('passes over lines of keys that are not known, and needs one that is', async () => {
    const other = generateKeyPairSync('ed25519').privateKey;
    const two = signCheckpoint(head, [createCheckpointSigner(origin, other), createCheckpointSigner(origin, ed25519)], 0);
    expect((await openCheckpoint(two, [vkey])).verified).toEqual([vkey]);
    await expect(openCheckpoint(note, [verifierKey(origin, other)])).rejects.toMatchObject({ finding: 'unsigned' });
    await expect(openCheckpoint(note, [])).rejects.toMatchObject({ finding: 'unsigned' });
  });

  test('of another log is refused by name', async () => {
    await expect(openCheckpoint(note, [vkey], 'holdfast.example/other')).rejects.toMatchObject({ finding: 'origin_unexpected' });
  });

  test.each([
    ['nothing', ''],
    ['no signatures', checkpointText(head)],
    ['no last newline', note.slice(0, -1)],
    ['a control character', note.replace('3', '3\t')],
    ['a size with a leading zero', note.replace('\n3\n', '\n03\n')],
    ['a root that is too short', note.replace(head.root.toString('base64'), 'AAAA')],
    ['a line that is no signature', `${note}- a b\n`],
    ['too many signatures', note + note.slice(note.indexOf('—')).repeat(64)],
  ])('with %s is malformed', async (_name, text) => {
    await expect(openCheckpoint(text, [vkey])).rejects.toMatchObject({ finding: 'malformed' });
  });

  test.each(['', 'no plus', `${origin}+00000000+${vkey.split('+').slice(2).join('+')}`, vkey.slice(0, -4)])(
    'is not opened with %j for a verifier key',
    async (key) => {
      await expect(openCheckpoint(note, [key])).rejects.toMatchObject({ finding: 'malformed' });
    },
  );

  test.each([
    ['an origin of two lines', { ...head, origin: 'a\nb' }],
    ['no origin', { ...head, origin: '' }],
    ['a size that is none', { ...head, size: -1 }],
    ['a root of another length', { ...head, root: Buffer.alloc(31) }],
  ])('is not signed for %s', (_name, wrong) => {
    expect(() => signCheckpoint(wrong, [createCheckpointSigner(origin, ed25519)], 0)).toThrow();
  });

  test('is not signed by nobody, by a public key, by a key of another kind or under a name that a note cannot hold', () => {
    expect(() => signCheckpoint(head, [], 0)).toThrow(/needs a signature/);
    expect(() => createCheckpointSigner(origin, publicKeyOf('ed25519', Buffer.alloc(32, 1)))).toThrow(/private key/);
    expect(() => createCheckpointSigner(origin, generateKeyPairSync('ed448').privateKey)).toThrow(/ed448/);
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\n']) expect(() => createCheckpointSigner(name, ed25519)).toThrow(/name of a key/);
  });
});

describe('a proof file', () => {
  const leaves = ['first', 'second', 'third'].map((text) => Buffer.from(text));
  const range = new CompactRange();
  const stored = new Map<string, Buffer>();
  for (const leaf of leaves) range.append(hashLeaf(leaf), ({ level, index }, bytes) => stored.set(`${level}/${index}`, bytes));
  const checkpoint = signCheckpoint({ origin, size: 3, root: range.root() }, [createCheckpointSigner(origin, ed25519)], 0);
  const plan = planInclusionProof(1, 3);
  const proof = plan.prove(plan.nodes.map(({ level, index }) => stored.get(`${level}/${index}`)!));
  const file = formatProof({ index: 1, proof, checkpoint });
  const whole = formatProof({ index: 1, proof, checkpoint, extra: leaves[1]! });

  test('has the form of tlog-proof@v1', () => {
    expect(file).toBe(`c2sp.org/tlog-proof@v1\nindex 1\n${proof.map((bytes) => bytes.toString('base64')).join('\n')}\n\n${checkpoint}`);
    expect(whole.split('\n')[1]).toBe(`extra ${leaves[1]!.toString('base64')}`);
  });

  test('proves its event with nothing else at hand but the key', async () => {
    expect(await openProof(file, [vkey], leaves[1])).toMatchObject({ index: 1, checkpoint: { size: 3 } });
    expect(Buffer.from((await openProof(whole, [vkey])).leaf).toString()).toBe('second');
  });

  test('of a log of one event has no hashes', async () => {
    const one = new CompactRange();
    one.append(hashLeaf(leaves[0]!));
    const only = signCheckpoint({ origin, size: 1, root: one.root() }, [createCheckpointSigner(origin, ed25519)], 0);
    expect(await openProof(formatProof({ index: 0, proof: [], checkpoint: only }), [vkey], leaves[0])).toMatchObject({ index: 0 });
  });

  test('is refused for another event, another place, or with what rides along changed', async () => {
    await expect(openProof(file, [vkey], leaves[2])).rejects.toMatchObject({ finding: 'inclusion_invalid' });
    await expect(openProof(file.replace('index 1', 'index 0'), [vkey], leaves[1])).rejects.toMatchObject({ finding: 'inclusion_invalid' });
    const forged = whole.replace(leaves[1]!.toString('base64'), Buffer.from('forged').toString('base64'));
    await expect(openProof(forged, [vkey])).rejects.toMatchObject({ finding: 'inclusion_invalid' });
    await expect(openProof(file, [vkey])).rejects.toThrow(/give it beside/);
  });

  test.each([
    ['another first line', file.replace('@v1', '@v2')],
    ['no index', file.replace('index 1\n', '')],
    ['an index with a leading zero', file.replace('index 1', 'index 01')],
    ['a hash that is none', file.replace(proof[0]!.toString('base64'), 'AAAA')],
    ['a hash written in another way', file.replace(proof[0]!.toString('base64'), ` ${proof[0]!.toString('base64')}`)],
    ['no checkpoint', 'c2sp.org/tlog-proof@v1\nindex 1\n'],
  ])('with %s is malformed', async (_name, text) => {
    await expect(openProof(text, [vkey], leaves[1])).rejects.toMatchObject({ finding: 'malformed' });
  });
});
