/**
 * What a limiter costs: `npm run bench:ratelimit` (after `npm ci --prefix bench/peers`). Writes bench/results/ratelimit.md.
 * Rounds of all subjects take turns, so that what else the machine does meets all alike.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { createMemoryDriver, createRateLimiter, gcra, slidingWindow } from '@holdfast/kit/ratelimit';
import { systemClock } from '@holdfast/kit/time';
import { cpuMicros, pinTree } from '../support/process.ts';
import { show, spread, type Spread } from '../support/statistics.ts';
import { startRedis, type BenchRedis } from './redis-process.ts';
import { fastifyRateLimit, flexible, holdfastInMemory, holdfastInRedis, type Subject } from './subjects.ts';

const keyCount = 10_000;
const memoryRounds = 9;
const memoryChecks = 100_000;
const redisRounds = 7;
const redisAlone = 2_000;
const redisTogether = 20_000;
const inFlight = 64;
const aimMicroseconds = 2;

// A string that was just cut out of another, as a header gives it; a literal would have its hash already.
const keyOf = (index: number): string => `key ${index % keyCount} `.slice(4, -1);

const twoCores = availableParallelism() >= 2;
if (twoCores) pinTree(process.pid, 0);
const redis = await startRedis(twoCores ? 1 : 0);

const memory = [await inMemory(1), await inMemory(6)];
const shared = [await inRedis(redis, 1), await inRedis(redis, 6)];
const bytes = await bytesPerKey();
await redis.stop();

const report = `# Limits: time and round trips

${memoryRounds} and ${redisRounds} rounds, all subjects in turn; ${keyCount.toLocaleString('en')} keys; Node ${process.version} on one core, Redis ${redis.version} on another, over a unix socket, nothing written to disk.
Median (lowest–highest round). rate-limiter-flexible 11.4.0 with \`RateLimiterUnion\`, ioredis 5.11.1; of @fastify/rate-limit 11.2.0 only its store, which is the least that it does.
Other programs run on the same two cores: judge by processor time; times on the wall and requests a second are spread by them.

Peers count in fixed windows, which let twice the limit pass around the end of a window, and each level is a step of its own: what a refusal has taken from the levels before stays taken (last column).

## In memory

| levels | subject | counts by | ns of processor time a request | taken from another level by a refusal |
|---|---|---|---|---|
${memory.flat().join('\n')}

Aim: six levels in ≤ ${aimMicroseconds} µs.

## In Redis

| levels | subject | commands a request | µs, one at a time | requests a second, ${inFlight} in flight | µs of Redis's processor a request | µs of Node's | taken from another level by a refusal |
|---|---|---|---|---|---|---|---|
${shared.flat().join('\n')}

## Memory

Bytes of a key that is in use, at 100,000 keys, the key's own text included: ${bytes.map(({ kind, value }) => `${kind} ${value}`).join(', ')}.
`;
process.stdout.write(report);
await writeFile(new URL('../results/ratelimit.md', import.meta.url), report);
process.exit();

async function inMemory(levels: 1 | 6): Promise<string[]> {
  const subjects = [holdfastInMemory(levels), await flexible(levels), await fastifyRateLimit(levels, keyCount)];
  const nanoseconds = subjects.map((): number[] => []);
  for (let round = -1; round < memoryRounds; round++) {
    for (const [at, subject] of subjects.entries()) {
      const before = process.cpuUsage();
      for (let index = 0; index < memoryChecks; index++) {
        const allowed = subject.check(keyOf(index));
        if (allowed !== true && !(await allowed)) throw new Error(`${subject.name} refused`);
      }
      const { user, system } = process.cpuUsage(before);
      // The first is for the compiler.
      if (round >= 0) nanoseconds[at]!.push(((user + system) * 1_000) / memoryChecks);
    }
  }
  const rows = [];
  for (const [at, subject] of subjects.entries()) {
    const taken = levels === 1 ? '' : String(await subject.usedByRefusal());
    rows.push(`| ${levels} | ${subject.name} | ${subject.counts} | ${show(spread(nanoseconds[at]!), 0)} | ${taken} |`);
    await subject.close();
  }
  return rows;
}

async function inRedis(redis: BenchRedis, levels: 1 | 6): Promise<string[]> {
  await redis.flush();
  const subjects = [
    await holdfastInRedis(levels, redis.socketPath),
    await flexible(levels, redis.socketPath),
    await fastifyRateLimit(levels, keyCount, redis.socketPath),
  ];
  const found = subjects.map(() => ({
    alone: [] as number[],
    rate: [] as number[],
    redis: [] as number[],
    node: [] as number[],
    commands: 0,
  }));
  for (let round = -1; round < redisRounds; round++) {
    for (const [at, subject] of subjects.entries()) {
      const alone = await timed(async () => {
        for (let index = 0; index < redisAlone; index++) await subject.check(keyOf(index));
      });
      const commands = await redis.commands();
      const redisBefore = cpuMicros(redis.pid);
      const nodeBefore = process.cpuUsage();
      const together = await timed(() => manyAtOnce(subject));
      const node = process.cpuUsage(nodeBefore);
      const redisMicros = cpuMicros(redis.pid) - redisBefore;
      if (round < 0) continue;
      const numbers = found[at]!;
      numbers.alone.push((alone * 1_000) / redisAlone);
      numbers.rate.push((redisTogether / together) * 1_000);
      numbers.redis.push(redisMicros / redisTogether);
      numbers.node.push((node.user + node.system) / redisTogether);
      numbers.commands = ((await redis.commands()) - commands) / redisTogether;
    }
  }
  const rows = [];
  for (const [at, subject] of subjects.entries()) {
    const { alone, rate, redis, node, commands } = found[at]!;
    const taken = levels === 1 ? '' : String(await subject.usedByRefusal());
    const cells = [levels, subject.name, commands, cell(alone, 0), cell(rate, 0), cell(redis, 1), cell(node, 1), taken];
    rows.push(`| ${cells.join(' | ')} |`);
    await subject.close();
  }
  return rows;
}

function cell(values: readonly number[], digits: number): string {
  const numbers: Spread = spread(values);
  return show(numbers, digits);
}

async function manyAtOnce(subject: Subject): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < redisTogether) if (!(await subject.check(keyOf(next++)))) throw new Error(`${subject.name} refused`);
  };
  await Promise.all(Array.from({ length: inFlight }, work));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

async function bytesPerKey(): Promise<{ kind: string; value: number }[]> {
  const count = 100_000;
  const kinds = {
    GCRA: gcra({ name: 'g', limit: 100, periodMs: 3_600_000 }),
    'a window in one part of it': slidingWindow({ name: 'w', limit: 100, windowMs: 3_600_000 }),
  };
  return Object.entries(kinds).map(([kind, policy]) => {
    const before = heap();
    const limiter = createRateLimiter({ driver: createMemoryDriver({ clock: systemClock, maxBucketsPerPolicy: count }) });
    for (let index = 0; index < count; index++) limiter.take([{ policy, key: `2001:db8::${index}` }]);
    const value = Math.round((heap() - before) / count);
    limiter.close();
    return { kind, value };
  });
}

/** Needs --expose-gc. */
function heap(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}
