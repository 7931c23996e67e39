/**
 * What a check of an API key costs from memory: `node --conditions=dev-source --expose-gc bench/key-check.ts`. Writes bench/results/key-check.md.
 * The database is a map here; nothing that is measured asks it.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { systemClock, systemRandom } from '@holdfast/kit/time';
import { createKeyAuthenticator, createKeySecret, type KeyDirectory } from '../packages/server/src/features/identity/index.ts';
import { createKeyHasher } from '../packages/server/src/features/identity/key-hash.ts';
import { createKeyRing } from '../packages/server/src/platform/keyring/index.ts';

const keyCount = 10_000;
const checksPerRound = 50_000;
const rounds = 15;
const aimMicroseconds = 20;

const ring = createKeyRing([{ version: 1, secret: systemRandom.bytes(32) }]);
const hasher = createKeyHasher(ring);
const secrets = Array.from({ length: keyCount }, () => createKeySecret(systemRandom));
const stored = new Map(
  secrets.map((secret, index) => {
    const digest = hasher.current(secret);
    const keyId = `019a9c50-11aa-7f00-8d11-${String(index).padStart(12, '0')}`;
    return [
      digest,
      {
        keyId,
        organizationId: keyId,
        organizationTier: 'unlimited',
        userId: undefined,
        digest,
        scopes: ['inference'],
        allowedModels: ['fast'],
        rateLimits: undefined,
        expiresAtMs: undefined,
        revoked: false,
      },
    ];
  }),
);
const directory: KeyDirectory = {
  find: async (digests) => digests.flatMap((digest) => stored.get(digest) ?? []),
  changesSince: async () => ({ mark: '0', changes: [], truncated: false }),
  markUsed: async () => {},
};
const authenticator = createKeyAuthenticator({
  directory,
  signal: { subscribe: () => () => {}, onStateChange: () => () => {} },
  ring,
  clock: systemClock,
  acceptsGivenSecrets: false,
  // Longer than the benchmark: a remembered refusal is what is measured.
  limits: { refusalMs: 600_000, maxAgeMs: 600_000, refreshAgeMs: 600_000 },
});
await authenticator.start();

const heapBefore = heap();
for (const secret of secrets) await authenticator.authenticate(secret);
const bytesPerKey = (heap() - heapBefore) / keyCount;

const unknown = createKeySecret(systemRandom);
const malformed = `${unknown.slice(0, -1)}${unknown.endsWith('0') ? '1' : '0'}`;
await refused(unknown);
/** What a header gives: a string that was just cut out of another, not one whose hash is known already. */
const headers = secrets.map((secret) => `Bearer ${secret}`);

const cases: readonly (readonly [string, (index: number) => unknown])[] = [
  ['good key, always the same', () => authenticator.authenticate(headers[0]!.slice(7))],
  [`good key, one of ${keyCount}`, (index) => authenticator.authenticate(headers[index % keyCount]!.slice(7))],
  ['malformed key', () => thrown(() => authenticator.authenticate(malformed))],
  ['unknown key, asked for a moment ago', () => thrown(() => authenticator.authenticate(unknown))],
  ['the HMAC alone', (index) => hasher.current(headers[index % keyCount]!.slice(7))],
];

const lines = cases.map(([name, run]) => {
  const micros = Array.from({ length: rounds }, () => measure(run)).sort((a, b) => a - b);
  const [min, median, max] = [micros[0]!, micros[rounds >> 1]!, micros[rounds - 1]!].map((value) => value.toFixed(2));
  return { name, median: Number(median), row: `| ${name} | ${median} | ${min}–${max} |` };
});
const report = `# A check of an API key from memory

${rounds} rounds of ${checksPerRound.toLocaleString('en')} checks; Node ${process.version}, ${availableParallelism()} cores. Aim: ≤ ${aimMicroseconds} µs with the HMAC.

| case | µs of processor time, median | lowest–highest round |
|---|---|---|
${lines.map((line) => line.row).join('\n')}

Memory of a good key: ${Math.round(bytesPerKey)} bytes. A refusal is dearer than a good key because it throws: most of it is the stack of the error.
`;
process.stdout.write(report);
await writeFile(new URL('results/key-check.md', import.meta.url), report);
await authenticator.close();
if (lines[1]!.median > aimMicroseconds) {
  process.stderr.write(`missed: ${lines[1]!.median} µs\n`);
  process.exitCode = 1;
}

/** Processor time, not time on the wall: other programs on the machine take the second from us, and hardly the first. */
function measure(run: (index: number) => unknown): number {
  const before = process.cpuUsage();
  for (let index = 0; index < checksPerRound; index += 1) run(index);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / checksPerRound;
}

function thrown(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

async function refused(secret: string): Promise<void> {
  await Promise.resolve(authenticator.authenticate(secret)).catch(() => {});
}

/** Without --expose-gc a rough number. */
function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}
