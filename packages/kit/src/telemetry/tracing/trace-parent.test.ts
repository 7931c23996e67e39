import { describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../testing/index.ts';
import { createHeadSampler, samplerNames } from './head-sampler.ts';
import { createTraceIds } from './trace-ids.ts';
import { parseTraceparent, parseTracestate } from './trace-parent.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';
const good = `00-${traceId}-${spanId}-01`;

describe('traceparent', () => {
  test('is read as the standard has it', () => {
    expect(parseTraceparent(good)).toEqual({ traceId, spanId, sampled: true });
    expect(parseTraceparent(`00-${traceId}-${spanId}-00`)?.sampled).toBe(false);
    expect(parseTraceparent(`00-${traceId}-${spanId}-03`)?.sampled).toBe(true);
  });

  test('of a later version is read by its beginning', () => {
    expect(parseTraceparent(`cc-${traceId}-${spanId}-01-what-the-future-will-be-like`)?.traceId).toBe(traceId);
    expect(parseTraceparent(`cc-${traceId}-${spanId}-01.what`)).toBeUndefined();
  });

  test.each<[string, unknown]>([
    ['none', undefined],
    ['a number', 7],
    ['several', [good, good]],
    ['several in one', `${good}, ${good}`],
    ['upper case', good.toUpperCase()],
    ['blanks', ` ${good}`],
    ['a line break', `${good}\n`],
    ['more than version 00 has', `${good}-00`],
    ['version ff', `ff-${traceId}-${spanId}-01`],
    ['a trace of zeroes', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['a span of zeroes', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['what is no hex', `00-${traceId.replace('a', 'g')}-${spanId}-01`],
    ['a script', `00-${traceId}-<script>alert(1)-01`],
    ['a megabyte', `cc-${traceId}-${spanId}-01-${'x'.repeat(1_000_000)}`],
  ])('that is %s is refused', (_what, header) => expect(parseTraceparent(header)).toBeUndefined());
});

describe('tracestate', () => {
  test('is passed on as it came, without its blanks', () => {
    expect(parseTracestate('rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE,, tenant@vendor=a b')).toBe(
      'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,tenant@vendor=a b',
    );
  });

  test.each<[string, unknown]>([
    ['none', undefined],
    ['empty', ' , ,'],
    ['a name without value', 'rojo'],
    ['an upper-case name', 'Rojo=1'],
    ['the same name twice', 'a=1,b=2,a=3'],
    ['a control character', 'a=1\u0007'],
    ['a key', 'a=sk-proj-abcdefghijklmnopqrstuv0123456789'],
    ['an e-mail address', 'a=1,b=bob@example.com'],
    ['what is no ASCII', 'a=é'],
    ['33 members', Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(',')],
    ['more than 512 characters', `a=${'x'.repeat(250)},b=${'x'.repeat(250)},c=${'x'.repeat(100)}`],
  ])('that is %s is thrown away whole', (_what, header) => expect(parseTracestate(header)).toBeUndefined());
});

describe('ids', () => {
  test('are hex of their length, and never the same twice in a million bits', () => {
    const ids = createTraceIds(createSeededRandom(1));
    const made = Array.from({ length: 5_000 }, (_, at) => (at % 2 === 0 ? ids.traceId() : ids.spanId()));
    for (const [at, id] of made.entries()) expect(id).toMatch(at % 2 === 0 ? /^[0-9a-f]{32}$/ : /^[0-9a-f]{16}$/);
    expect(new Set(made).size).toBe(made.length);
  });

  test('are never all zero, which the standard forbids', () => {
    const ids = createTraceIds({ next: () => 0, bytes: (length) => Buffer.alloc(length) });
    expect(ids.spanId()).toBe('0000000000000001');
  });
});

describe('samplers', () => {
  const caller = (sampled: boolean) => ({ traceId, spanId, sampled });
  test.each([
    ['always_on', 0, [true, true, true]],
    ['always_off', 1, [false, false, false]],
    ['traceidratio', 0, [false, false, false]],
    ['traceidratio', 1, [true, true, true]],
    ['parentbased_always_on', 1, [true, true, false]],
    ['parentbased_always_off', 1, [false, true, false]],
    ['parentbased_traceidratio', 0, [false, true, false]],
  ] as const)('%s %d decides for a trace of its own, of a caller that keeps it, and of one that does not', (name, ratio, decisions) => {
    const sampler = createHeadSampler(name, ratio);
    expect([undefined, caller(true), caller(false)].map((parent) => sampler(traceId, parent))).toEqual(decisions);
  });

  test('by ratio keep their share, and the same traces in every process', () => {
    const ids = createTraceIds(createSeededRandom(2));
    const made = Array.from({ length: 20_000 }, () => ids.traceId());
    const tenth = made.filter((id) => createHeadSampler('traceidratio', 0.1)(id, undefined));
    expect(tenth.length / made.length).toBeGreaterThan(0.09);
    expect(tenth.length / made.length).toBeLessThan(0.11);
    const half = createHeadSampler('traceidratio', 0.5);
    expect(tenth.every((id) => half(id, undefined))).toBe(true);
  });

  test('by ratio decide by the number that the last 56 bits are, to the bit', () => {
    const sampler = createHeadSampler('traceidratio', 0.1);
    const limit = 0.1 * 2 ** 56;
    for (const bits of [0, 1, Math.floor(limit) - 8, Math.floor(limit), Math.ceil(limit), Math.ceil(limit) + 8, 2 ** 52, 2 ** 56 - 8])
      expect(sampler(`${'a'.repeat(18)}${bits.toString(16).padStart(14, '0')}`, undefined), String(bits)).toBe(bits < limit);
  });

  test.each([-0.1, 1.1, Number.NaN])('a ratio of %d is refused', (ratio) => {
    expect(() => createHeadSampler('traceidratio', ratio)).toThrow(expect.objectContaining({ code: 'configuration_invalid' }));
  });

  test('a name that is none is refused, with those that are', () => {
    expect(() => createHeadSampler('jaeger_remote' as never, 1)).toThrow(samplerNames.join(', '));
  });
});
