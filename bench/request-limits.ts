/**
 * What the limits at the door add to a request, in memory: `npm run bench:request-limits`. Writes bench/results/request-limits.md. Counts all that
 * a request pays for them: its levels, the step, the metrics that listen, and the header fields of its answer.
 */
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { createLimitStep } from '@holdfast/kit/fastify';
import { createMemoryDriver, createRateLimiter, headerFields, type Decision } from '@holdfast/kit/ratelimit';
import { createMetrics } from '@holdfast/kit/telemetry';
import { systemClock } from '@holdfast/kit/time';
import { createRequestLimits, type LevelLimit } from '../packages/server/src/features/limits/index.ts';
import type { Principal } from '../packages/server/src/model/index.ts';

const keyCount = 1_000;
const requestsPerRound = 50_000;
const rounds = 15;
const aimMicroseconds = 4;

const roomy: LevelLimit = { requestsPerMinute: 1_000_000_000 };
const burst: LevelLimit = { ...roomy, burst: 100_000 };
const limits = createRequestLimits({
  shadow: false,
  levels: { global: burst, ip: burst, user: roomy, key: roomy },
  tiers: { basic: { ...roomy, requestsPerHour: 1_000_000_000 }, unlimited: {} },
  endpoints: [{ ...roomy, name: 'GET /api/usage', method: 'GET', path: '/api/usage', per: 'key', exempt: false }],
});
const few = createRequestLimits({
  shadow: false,
  levels: { global: burst, ip: burst, user: undefined, key: undefined },
  tiers: { basic: { ...roomy, requestsPerHour: 1_000_000_000 }, unlimited: {} },
  endpoints: [],
});
const driver = createMemoryDriver({ clock: systemClock });
const limiter = createRateLimiter({ driver });
createMetrics({ processMetrics: false }).listen();

const principalOf = (index: number, organizationTier: string): Principal => ({
  organizationId: `019a9c50-11aa-7f00-8d11-${String(index % 100).padStart(12, '0')}`,
  organizationTier,
  keyId: `019a9c50-22bb-7f00-8d11-${String(index).padStart(12, '0')}`,
  userId: `019a9c50-33cc-7f00-8d11-${String(index).padStart(12, '0')}`,
  scopes: new Set(),
  allowedModels: undefined,
});

interface Request {
  principal: Principal | null;
  address: string;
  rateLimitDecision: Decision | null;
}

/** One request from the door to the head of its answer; returns the length of the fields, so that they are really made. */
function requests(of: typeof limits, isModelCall: boolean, path: string, make: (index: number) => Pick<Request, 'principal' | 'address'>) {
  const levels = of.forRoute({ methods: ['GET'], path, isModelCall });
  const step = createLimitStep({
    limiter,
    levels: (request) => levels((request as unknown as Request).principal, (request as unknown as Request).address),
  });
  const all = Array.from({ length: keyCount }, (_, index): Request => ({ ...make(index), rateLimitDecision: null }));
  return (index: number): number => {
    const request = all[index % keyCount]!;
    step(request as never, undefined as never, ignore);
    const fields = headerFields(request.rateLimitDecision!);
    let length = 0;
    for (const name in fields) length += fields[name]!.length;
    return length;
  };
}
const ignore = (): void => {};

const cases: readonly (readonly [string, (index: number) => number])[] = [
  [
    'call of a model, organization unlimited',
    requests(few, true, '/v1/x', (index) => ({ principal: principalOf(index, 'unlimited'), address: '' })),
  ],
  [
    'call of a model, organization basic (2 buckets)',
    requests(few, true, '/v1/x', (index) => ({ principal: principalOf(index, 'basic'), address: '' })),
  ],
  [
    'no key: global and address (2 buckets)',
    requests(few, false, '/v1/x', (index) => ({ principal: null, address: `10.0.${index >> 8}.${index & 255}` })),
  ],
  [
    'everything: global, person, key, minute, hour, endpoint (6 buckets)',
    requests(limits, false, '/api/usage', (index) => ({ principal: principalOf(index, 'basic'), address: '' })),
  ],
];

let checked = 0;
const lines = cases.map(([name, run]) => {
  measure(run);
  const micros = Array.from({ length: rounds }, () => measure(run)).sort((a, b) => a - b);
  const [min, median, max] = [micros[0]!, micros[rounds >> 1]!, micros[rounds - 1]!].map((value) => value.toFixed(2));
  return { median: Number(median), row: `| ${name} | ${median} | ${min}–${max} |` };
});
const report = `# Limits on requests, in memory

${rounds} rounds of ${requestsPerRound.toLocaleString('en')} requests of ${keyCount.toLocaleString('en')} keys; Node ${process.version}, ${availableParallelism()} cores. Aim: ≤ ${aimMicroseconds} µs. Header fields and metrics are counted in.

| request | µs of processor time, median | lowest–highest round |
|---|---|---|
${lines.map(({ row }) => row).join('\n')}
`;
process.stdout.write(report);
await writeFile(new URL('results/request-limits.md', import.meta.url), report);
driver.close();
if (checked === 0 || lines.some(({ median }) => median > aimMicroseconds)) {
  process.stderr.write('missed\n');
  process.exitCode = 1;
}

/** Processor time, not time on the wall: other programs on the machine take the second from us, and hardly the first. */
function measure(run: (index: number) => number): number {
  const before = process.cpuUsage();
  for (let index = 0; index < requestsPerRound; index += 1) checked += run(index);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requestsPerRound;
}
