import { HoldfastError } from '@holdfast/kit/errors';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createMemoryTrail } from '../../../test/support/audit.ts';
import {
  configurationRejected,
  configurationReloaded,
  createConfigurationService,
  type ConfigurationPort,
  type Reloadable,
  type ReloadRequester,
} from './index.ts';

type Models = Readonly<Record<string, string>>;
type Reading = Models | HoldfastError;

const faulty = (...problems: string[]): HoldfastError =>
  new HoldfastError('configuration_invalid', { details: { faults: problems.map((problem) => ({ where: 'file:1', problem })) } });

const port: Omit<ConfigurationPort<Models>, 'read'> = {
  same: (a, b) => JSON.stringify(a) === JSON.stringify(b),
  compare: (before, after) => ({
    models: {
      added: Object.keys(after).filter((name) => !(name in before)),
      removed: Object.keys(before).filter((name) => !(name in after)),
      changed: Object.keys(after).filter((name) => name in before && before[name] !== after[name]),
    },
  }),
  restartRequired: (atStart, next) => (atStart['port'] === next['port'] ? [] : ['server.port']),
  digest: (configuration) => JSON.stringify(configuration),
  fileOf: () => 'holdfast.config.yaml',
};

/** Records in `log` what is asked of it. */
function part(log: string[], name: string, fails: () => Error | undefined = () => undefined): Reloadable<Models> {
  return {
    prepare(next) {
      const failure = fails();
      log.push(`${name} prepares`);
      if (failure) throw failure;
      return {
        commit: () => void log.push(`${name} commits ${JSON.stringify(next)}`),
        discard: () => void log.push(`${name} discards`),
      };
    },
  };
}

function setup(options: { readings?: readonly Reading[]; parts?: (log: string[]) => Reloadable<Models>[] } = {}) {
  const clock = createFakeClock();
  const log: string[] = [];
  /** What the file says, reading by reading; the last for ever. */
  let readings: readonly Reading[] = options.readings ?? [{ fast: 'a' }];
  let reads = 0;
  const audit = createMemoryTrail();
  const service = createConfigurationService<Models>({
    audit,
    atStart: { fast: 'a' },
    port: {
      ...port,
      read() {
        reads++;
        const reading = readings[0]!;
        if (readings.length > 1) readings = readings.slice(1);
        if (reading instanceof HoldfastError) throw reading;
        return reading;
      },
    },
    parts: (options.parts ?? ((to) => [part(to, 'models')]))(log),
    clock,
  });
  return {
    clock,
    log,
    service,
    reads: () => reads,
    says: (...next: readonly Reading[]) => void ([readings, reads] = [next, 0]),
    /** Lets time pass until all of them are settled. */
    async settled<Result>(...promises: readonly Promise<Result>[]): Promise<PromiseSettledResult<Result>[]> {
      let done = false;
      const all = Promise.allSettled(promises).finally(() => (done = true));
      for (let turns = 0; !done && turns < 1_000; turns++) {
        await new Promise((resolve) => setImmediate(resolve));
        clock.advance(10);
      }
      return all;
    },
  };
}

const byKey: ReloadRequester = { kind: 'key', keyId: 'k', organizationId: 'o' };
const bySignal: ReloadRequester = { kind: 'signal', signal: 'SIGHUP' };

function listen() {
  const reloaded: object[] = [];
  const rejected: object[] = [];
  const stops = [
    configurationReloaded.subscribe((message) => void reloaded.push(message)),
    configurationRejected.subscribe((message) => void rejected.push(message)),
  ];
  onTestFinished(() => {
    for (const stop of stops) stop();
  });
  return { reloaded, rejected };
}

const noChanges = { models: { added: [], removed: [], changed: [] } };

test('a reload puts in force what the file says, tells what changed, and announces who asked', async () => {
  const { service, settled, says, log } = setup();
  const { reloaded, rejected } = listen();
  says({ fast: 'b', smart: 'c' });
  const [result] = await settled(service.reload(byKey));
  const changes = { models: { added: ['smart'], removed: [], changed: ['fast'] } };
  const digest = '{"fast":"b","smart":"c"}';
  expect(result).toMatchObject({ status: 'fulfilled', value: { result: 'applied', changes, restartRequired: [], digest } });
  expect(log).toEqual(['models prepares', `models commits ${digest}`]);
  expect(reloaded).toEqual([expect.objectContaining({ by: [byKey], result: 'applied', changes, digest })]);
  expect(rejected).toEqual([]);
});

test('a reload that finds nothing new touches nothing, and says so', async () => {
  const { service, settled, log, clock } = setup();
  const { inForceSince } = service.state;
  clock.advance(60_000);
  const [result] = await settled(service.reload(bySignal));
  expect(result).toMatchObject({ status: 'fulfilled', value: { result: 'unchanged', changes: noChanges } });
  expect(log).toEqual([]);
  expect(service.state.inForceSince).toBe(inForceSince);
  expect(service.state.lastSuccessAt).toBeGreaterThan(inForceSince + 60_000);
});

test('a faulty file is refused with all its faults, and everything stays', async () => {
  const { service, settled, says, log } = setup();
  const { reloaded, rejected } = listen();
  const before = service.state;
  says(faulty('one', 'two'));
  const [result] = await settled(service.reload(byKey));
  const faults = [
    { where: 'file:1', problem: 'one' },
    { where: 'file:1', problem: 'two' },
  ];
  expect(result).toMatchObject({ status: 'rejected', reason: { code: 'configuration_rejected', status: 422, details: { faults } } });
  expect(service.state).toBe(before);
  expect([log, reloaded]).toEqual([[], []]);
  expect(rejected).toEqual([{ by: [byKey], faults }]);
  says({ fast: 'b' });
  expect(await settled(service.reload(byKey))).toMatchObject([{ value: { result: 'applied' } }]);
});

test('when one part refuses, none commits, those that were prepared are given back, and all faults are told', async () => {
  let broken = true;
  const refuse = (error: Error) => () => (broken ? error : undefined);
  const { service, settled, says, log } = setup({
    parts: (to) => [
      part(to, 'first'),
      part(to, 'second', refuse(faulty('from the second'))),
      part(to, 'third'),
      part(to, 'fourth', refuse(new TypeError('from the fourth'))),
    ],
  });
  says({ fast: 'b' });
  const [result] = await settled(service.reload(byKey));
  expect(result).toMatchObject({
    reason: {
      code: 'configuration_rejected',
      details: {
        faults: [
          { where: 'file:1', problem: 'from the second' },
          { where: 'configuration', problem: 'from the fourth' },
        ],
      },
    },
  });
  expect(log).toEqual(['first prepares', 'second prepares', 'third prepares', 'fourth prepares', 'first discards', 'third discards']);
  expect(service.state.digest).toBe('{"fast":"a"}');

  // Nothing of the refused one is taken for being in force: the next one finds the same change.
  broken = false;
  expect(await settled(service.reload(byKey))).toMatchObject([
    { value: { result: 'applied', changes: { models: { changed: ['fast'] } } } },
  ]);
});

test('a part that fails to commit is told as a fault of ours, and does not keep the others from theirs', async () => {
  const { service, settled, says, log } = setup({
    parts: (to) => [{ prepare: () => ({ commit: () => expect.unreachable(), discard() {} }) }, part(to, 'second')],
  });
  says({ fast: 'b' });
  expect(await settled(service.reload(byKey))).toMatchObject([{ reason: { code: 'internal_error' } }]);
  expect(log.at(-1)).toBe('second commits {"fast":"b"}');
});

test('a file that is being written is read until it stays the same', async () => {
  const { service, settled, says, log } = setup();
  says({}, faulty('half a line'), { fast: 'b' }, { fast: 'b', smart: 'c' });
  const [result] = await settled(service.reload(byKey));
  expect(result).toMatchObject({ value: { changes: { models: { added: ['smart'], removed: [], changed: ['fast'] } } } });
  expect(log.filter((line) => line.includes('commits'))).toEqual(['models commits {"fast":"b","smart":"c"}']);
});

test('a file that never stays the same is refused', async () => {
  const { service, settled, says, reads } = setup();
  says(...Array.from({ length: 100 }, (_, index) => ({ fast: String(index) })));
  const [result] = await settled(service.reload(byKey));
  expect(result).toMatchObject({ reason: { code: 'configuration_rejected', details: { faults: [{ where: 'holdfast.config.yaml' }] } } });
  expect(reads()).toBe(20);
  expect(service.state.digest).toBe('{"fast":"a"}');
});

test('reloads run one at a time, and those who ask while one runs share the next, which reads after they asked', async () => {
  const { service, settled, says, log, reads, clock } = setup();
  const { reloaded } = listen();
  says({ fast: 'b' });
  const first = service.reload(byKey);
  await new Promise((resolve) => setImmediate(resolve));
  expect(reads()).toBe(1);
  const second = service.reload(bySignal);
  const third = service.reload(byKey);
  clock.advance(100);
  await new Promise((resolve) => setImmediate(resolve));
  says({ fast: 'c' });
  const results = await settled(first, second, third);
  expect(results).toMatchObject([
    { value: { digest: '{"fast":"b"}' } },
    { value: { digest: '{"fast":"c"}' } },
    { value: { digest: '{"fast":"c"}' } },
  ]);
  expect(log.filter((line) => line.includes('commits'))).toEqual(['models commits {"fast":"b"}', 'models commits {"fast":"c"}']);
  expect(reloaded).toMatchObject([{ by: [byKey] }, { by: [bySignal, byKey] }]);
});

test('a reload that failed does not fail those that wait behind it', async () => {
  const { service, settled, says, clock } = setup();
  says(faulty('typo'));
  const first = service.reload(byKey);
  first.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  const second = service.reload(bySignal);
  clock.advance(100);
  await new Promise((resolve) => setImmediate(resolve));
  says({ fast: 'b' });
  expect(await settled(first, second)).toMatchObject([{ status: 'rejected' }, { value: { result: 'applied' } }]);
});

test('settings that wait for a restart are named with every reload until they are as at the start, and stop nothing', async () => {
  const { service, settled, says } = setup();
  says({ fast: 'a', port: '1' });
  expect(await settled(service.reload(byKey))).toMatchObject([{ value: { restartRequired: ['server.port'], result: 'applied' } }]);
  says({ fast: 'b', port: '1' });
  expect(await settled(service.reload(byKey))).toMatchObject([{ value: { restartRequired: ['server.port'] } }]);
  expect(service.state.restartRequired).toEqual(['server.port']);
  says({ fast: 'b' });
  expect(await settled(service.reload(byKey))).toMatchObject([{ value: { restartRequired: [] } }]);
});

test('closing ends a reload before it changes anything, and refuses those that come later', async () => {
  const { service, settled, says, log, clock } = setup();
  says({ fast: 'b' });
  const running = service.reload(byKey);
  const closing = service.close();
  const late = service.reload(bySignal);
  expect(await settled<unknown>(running, closing, late)).toMatchObject([
    { reason: { code: 'draining' } },
    { status: 'fulfilled' },
    { reason: { code: 'draining' } },
  ]);
  expect(log).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});
