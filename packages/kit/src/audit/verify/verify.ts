/**
 * Checks an audit log without trusting who keeps it. This folder is all of it, beginning here and with
 * `verify-export.ts`: it imports nothing else, needs only WebCrypto, and so runs in Node, Deno, Bun and browsers. Read it, or write it again: `docs/guides/verifying-without-us.md` says the same in prose.
 *
 * The chain of reasoning, from what you hold to what you learn:
 *
 *   public key ──signs──▶ checkpoint (size and root of the log) ◀──inclusion proof── one event
 *                              ▲
 *                       consistency proof
 *                              │
 *                  a checkpoint that you kept from before
 */

export type Finding =
  /** The text is not what it says it is. */
  | 'malformed'
  /** No key of yours signed it. */
  | 'unsigned'
  /** A line names a key of yours, and its signature is wrong. */
  | 'signature_invalid'
  /** It is signed well, for another log. */
  | 'origin_unexpected'
  /** This leaf is not at this place in the log of this checkpoint. */
  | 'inclusion_invalid'
  /** The newer log is not a continuation of the older: something of the past was changed, dropped, added or moved. */
  | 'consistency_invalid'
  /** Two checkpoints of the same size with different roots: the log was shown to people in two versions. */
  | 'forked'
  /** The newer checkpoint is of a smaller log: its end was cut off, or an old copy put back. */
  | 'rolled_back';

/** What does not verify, and why. */
export class VerificationError extends Error {
  readonly finding: Finding;

  constructor(finding: Finding, message: string) {
    super(message);
    this.name = 'VerificationError';
    this.finding = finding;
  }
}

/** What a checkpoint says: the log called `origin` has `size` leaves, and `root` is the root hash over them. */
export interface TreeHead {
  readonly origin: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface OpenedCheckpoint extends TreeHead {
  /** The verifier keys whose signatures were checked and are good; at least one. */
  readonly verified: readonly string[];
  /** Those that signed it, but whose algorithm is not known to this runtime (ML-DSA-44 in most browsers yet). */
  readonly unchecked: readonly string[];
}

/** `SHA-256`. Give one of your own where the runtime has a faster one. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;

const webSha256: Sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));

// ── Checkpoints: https://c2sp.org/tlog-checkpoint, https://c2sp.org/signed-note, https://c2sp.org/tlog-cosignature ──

/**
 * Checks the signatures of a checkpoint. `verifierKeys` are public keys in the form `<name>+<key id>+<base64>`, got from somewhere
 * that who keeps the log cannot change. Lines of other keys are passed over.
 */
export async function openCheckpoint(note: string, verifierKeys: readonly string[], origin?: string): Promise<OpenedCheckpoint> {
  const { text, signatures } = parseNote(note);
  const head = parseHead(text);
  if (origin !== undefined && head.origin !== origin) {
    throw new VerificationError('origin_unexpected', `this checkpoint is of "${head.origin}", not of "${origin}"`);
  }
  const verified: string[] = [];
  const unchecked: string[] = [];
  for (const vkey of verifierKeys) {
    const key = await parseVerifierKey(vkey);
    for (const { name, bytes } of signatures) {
      if (name !== key.name || !equal(bytes.subarray(0, 4), key.id)) continue;
      const good = await checkSignature(key, bytes.subarray(4), text, head);
      if (good === false) throw new VerificationError('signature_invalid', `the signature of ${name} is wrong`);
      (good ? verified : unchecked).push(vkey);
    }
  }
  if (verified.length === 0) throw new VerificationError('unsigned', 'no signature of a known key could be checked');
  return { ...head, verified, unchecked };
}

interface Signature {
  readonly name: string;
  /** Four bytes of key id, then what the algorithm makes. */
  readonly bytes: Uint8Array;
}

function parseNote(note: string): { text: string; signatures: Signature[] } {
  // The text may have empty lines: the last one ends it. It is signed with its newline.
  const split = note.lastIndexOf('\n\n');
  if (split < 0 || !note.endsWith('\n') || /[\x00-\x09\x0b-\x1f]/.test(note)) malformed('this is not a signed note');
  const lines = note.slice(split + 2, -1).split('\n');
  if (lines.length > 64) malformed('a note with more than 64 signatures');
  const signatures = lines.map((line) => {
    const [, name, base64] = /^\u2014 ([^\s+]+) (\S+)$/u.exec(line) ?? malformed('a line of the signatures is none');
    return { name: name!, bytes: fromBase64(base64!) };
  });
  return { text: note.slice(0, split + 1), signatures };
}

function parseHead(text: string): TreeHead {
  const [origin, size, root] = text.split('\n');
  if (!origin) malformed('a checkpoint begins with its origin');
  const head = { origin: origin!, size: parseCount(size), root: fromBase64(root ?? '') };
  if (head.root.length !== 32) malformed('a root is 32 bytes');
  return head;
}

export interface VerifierKey {
  readonly name: string;
  readonly id: Uint8Array;
  readonly type: number;
  readonly raw: Uint8Array;
}

/** Throws `malformed` for a text that is no verifier key. */
export async function parseVerifierKey(vkey: string): Promise<VerifierKey> {
  const [, name, idHex, base64] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/u.exec(vkey) ?? malformed('this is not a verifier key');
  const typed = fromBase64(base64!);
  const id = (await webSha256(concat(encode(`${name}\n`), typed))).subarray(0, 4);
  if (toHex(id) !== idHex) malformed(`the verifier key of ${name} has an id that is not its own`);
  return { name: name!, id, type: typed[0]!, raw: typed.subarray(1) };
}

/** True when it is good, false when it is wrong, undefined when this runtime cannot say. */
async function checkSignature(key: VerifierKey, signature: Uint8Array, text: string, head: TreeHead): Promise<boolean | undefined> {
  switch (key.type) {
    case 0x01:
      return verifyWith('raw', 'Ed25519', key.raw, signature, encode(text));
    case 0x06: {
      // A time, then the signature over it and the three lines (tlog-cosignature, "ML-DSA-44 signed message").
      const time = signature.subarray(0, 8);
      const message = concat(
        encode('subtree/v1\n\0'),
        opaque(key.name),
        time,
        opaque(head.origin),
        uint64(0),
        uint64(head.size),
        head.root,
      );
      return verifyWith('raw-public', 'ML-DSA-44', key.raw, signature.subarray(8), message);
    }
    default:
      return undefined;
  }
}

async function verifyWith(
  format: string,
  algorithm: string,
  raw: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean | undefined> {
  let key: CryptoKey;
  try {
    key = await crypto.subtle.importKey(format as 'raw', raw as Uint8Array<ArrayBuffer>, { name: algorithm }, false, ['verify']);
  } catch (error) {
    if ((error as Error).name === 'NotSupportedError' || error instanceof TypeError) return undefined;
    throw new VerificationError('malformed', `the ${algorithm} key cannot be read`);
  }
  return crypto.subtle.verify({ name: algorithm }, key, signature as Uint8Array<ArrayBuffer>, message as Uint8Array<ArrayBuffer>);
}

// ── The tree: RFC 6962, section 2.1 (the algorithms are those of RFC 9162, section 2.1) ──

/** What is hashed for one event: `SHA-256(0x00 || bytes)`. */
export async function hashLeaf(leaf: Uint8Array, sha256 = webSha256): Promise<Uint8Array> {
  return sha256(concat(Uint8Array.of(0), leaf));
}

async function hashChildren(left: Uint8Array, right: Uint8Array, sha256: Sha256): Promise<Uint8Array> {
  return sha256(concat(Uint8Array.of(1), left, right));
}

/** Throws unless the leaf with this hash is at `index` of the log (RFC 9162, section 2.1.3.2). */
export async function verifyInclusion(
  { hash, index, proof }: { readonly hash: Uint8Array; readonly index: number; readonly proof: readonly Uint8Array[] },
  { size, root }: Pick<TreeHead, 'size' | 'root'>,
  sha256: Sha256 = webSha256,
): Promise<void> {
  const fail = () => new VerificationError('inclusion_invalid', `leaf ${index} of this log of ${size} is not this one`);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw fail();
  let at = index;
  let last = size - 1;
  let result = hash;
  for (const sibling of proof) {
    if (last === 0) throw fail();
    if (at % 2 === 1 || at === last) {
      result = await hashChildren(sibling, result, sha256);
      while (at % 2 === 0 && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else result = await hashChildren(result, sibling, sha256);
    at = half(at);
    last = half(last);
  }
  if (last !== 0 || !equal(result, root)) throw fail();
}

/** Throws unless `newer` is `older` with more behind it (RFC 9162, section 2.1.4.2). Both have to be checkpoints that were opened. */
export async function verifyConsistency(
  older: TreeHead,
  newer: TreeHead,
  proof: readonly Uint8Array[],
  sha256: Sha256 = webSha256,
): Promise<void> {
  if (older.origin !== newer.origin) throw new VerificationError('origin_unexpected', 'these are checkpoints of two logs');
  if (newer.size < older.size) throw new VerificationError('rolled_back', `the log had ${older.size} leaves and has ${newer.size}`);
  if (newer.size === older.size) {
    if (!equal(older.root, newer.root)) throw new VerificationError('forked', `two logs of ${older.size} leaves under one name`);
    return;
  }
  if (older.size === 0) return;
  const fail = () => new VerificationError('consistency_invalid', `what was logged up to ${older.size} is not what was logged then`);
  // When the older size is a power of two its root is itself the first hash of the path.
  const path = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  let at = older.size - 1;
  let last = newer.size - 1;
  while (at % 2 === 1) {
    at = half(at);
    last = half(last);
  }
  const [first, ...rest] = path;
  if (first === undefined) throw fail();
  let olderRoot = first;
  let newerRoot = first;
  for (const hash of rest) {
    if (last === 0) throw fail();
    if (at % 2 === 1 || at === last) {
      olderRoot = await hashChildren(hash, olderRoot, sha256);
      newerRoot = await hashChildren(hash, newerRoot, sha256);
      while (at % 2 === 0 && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else newerRoot = await hashChildren(newerRoot, hash, sha256);
    at = half(at);
    last = half(last);
  }
  if (last !== 0 || !equal(olderRoot, older.root) || !equal(newerRoot, newer.root)) throw fail();
}

/** Computes the root from left to right, in little memory: from all leaves, or from some with the hashes of the subtrees between them. */
export class TreeHasher {
  readonly #sha256: Sha256;
  /** Of the perfect subtrees so far, left to right. */
  readonly #hashes: Uint8Array[] = [];
  #size = 0;

  constructor(sha256: Sha256 = webSha256) {
    this.#sha256 = sha256;
  }

  get size(): number {
    return this.#size;
  }

  async append(leaf: Uint8Array): Promise<void> {
    await this.appendSubtree(0, await hashLeaf(leaf, this.#sha256));
  }

  /** The next `2^level` leaves by the hash of the perfect subtree over them, which has to begin at a multiple of its size. */
  async appendSubtree(level: number, subtreeHash: Uint8Array): Promise<void> {
    const leaves = 2 ** level;
    if (!Number.isSafeInteger(level) || level < 0 || level > 52 || this.#size % leaves !== 0 || !Number.isSafeInteger(this.#size + leaves))
      malformed(`no subtree of level ${level} begins at leaf ${this.#size}`);
    if (subtreeHash.length !== 32) malformed('a hash is 32 bytes');
    let hash = subtreeHash;
    for (let place = this.#size / leaves; place % 2 === 1; place = half(place))
      hash = await hashChildren(this.#hashes.pop()!, hash, this.#sha256);
    this.#hashes.push(hash);
    this.#size += leaves;
  }

  async root(): Promise<Uint8Array> {
    if (this.#size === 0) return this.#sha256(new Uint8Array());
    let root = this.#hashes.at(-1)!;
    for (let at = this.#hashes.length - 2; at >= 0; at--) root = await hashChildren(this.#hashes[at]!, root, this.#sha256);
    return root;
  }
}

// ── Proof files: https://c2sp.org/tlog-proof ──

export interface OpenedProof {
  readonly index: number;
  readonly checkpoint: OpenedCheckpoint;
  /** The event's bytes, proved: as they were given, or as they came in the file. */
  readonly leaf: Uint8Array;
}

/** Checks a proof file: the event is in the log that the checkpoint inside speaks of, and a key of yours signed that. */
export async function openProof(file: string, verifierKeys: readonly string[], leaf?: Uint8Array): Promise<OpenedProof> {
  // The first empty line ends the proof; the checkpoint behind it has one of its own.
  const split = file.indexOf('\n\n');
  const lines = split < 0 ? malformed('a proof file has a checkpoint') : file.slice(0, split).split('\n');
  if (lines.shift() !== 'c2sp.org/tlog-proof@v1') malformed('this is not a proof file');
  const extra = lines[0]?.startsWith('extra ') ? fromBase64(lines.shift()!.slice('extra '.length)) : undefined;
  const indexLine = lines.shift() ?? '';
  if (!indexLine.startsWith('index ')) malformed('a proof file says the index of its leaf');
  const index = parseCount(indexLine.slice('index '.length));
  const proof = lines.map(fromBase64);
  if (proof.length > 63 || proof.some((hash) => hash.length !== 32)) malformed('a proof is at most 63 hashes of 32 bytes');
  const checkpoint = await openCheckpoint(file.slice(split + 2), verifierKeys);
  const proved = leaf ?? extra ?? malformed('the file has no event inside: give it beside');
  await verifyInclusion({ hash: await hashLeaf(proved), index, proof }, checkpoint);
  return { index, checkpoint, leaf: proved };
}

// ── Bytes ──

function malformed(message: string): never {
  throw new VerificationError('malformed', message);
}

function parseCount(text: string | undefined): number {
  const count = /^(?:0|[1-9][0-9]*)$/.test(text ?? '') ? Number(text) : -1;
  return Number.isSafeInteger(count) && count >= 0 ? count : malformed('a number is not one');
}

/** Standard base64 with its padding, in the one form that bytes have; throws `malformed` for anything else. */
export function fromBase64(text: string): Uint8Array {
  // `atob` takes spaces and missing padding; two texts for the same bytes would let a proof look like another one.
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) malformed('not base64');
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

/** A vector of TLS with one byte of length. */
function opaque(text: string): Uint8Array {
  const bytes = encode(text);
  return concat(Uint8Array.of(bytes.length), bytes);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
}
