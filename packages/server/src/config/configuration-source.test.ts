import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openConfigurationSource, type Configuration, type ConfigurationFault, type HttpProviderConfiguration } from './index.ts';

const valid = 'models: { fast: { targets: [lab/x] } }\nproviders: { lab: { kind: sandbox } }\n';

function setup(files: Readonly<Record<string, string>> = {}) {
  const cwd = mkdtempSync(path.join(tmpdir(), 'holdfast-source-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  const write = (name: string, text: string): void => writeFileSync(path.join(cwd, name), text);
  for (const [name, text] of Object.entries(files)) write(name, text);
  return {
    cwd,
    write,
    remove: (name: string) => rmSync(path.join(cwd, name)),
    open: (env: Record<string, string> = {}, overrides = {}) => openConfigurationSource({ env, cwd, overrides }),
  };
}

function faultsOf(read: () => unknown): readonly ConfigurationFault[] {
  try {
    read();
  } catch (error) {
    return (error as { details: { faults: readonly ConfigurationFault[] } }).details.faults;
  }
  return expect.unreachable('the configuration was taken');
}

const modelsOf = ({ models }: Configuration) => models.map(({ name }) => name);
const keyOf = ({ providers }: Configuration) => (providers[0] as HttpProviderConfiguration).apiKeys[0]!.reveal();

test('the file is read anew, and the command line stays above it', () => {
  const { open, write } = setup({ 'holdfast.config.yaml': valid });
  const source = open({}, { server: { port: '1234' } });
  write('holdfast.config.yaml', `${valid}server: { port: 99, host: 127.0.0.2 }\n`.replace('fast', 'quick'));
  const next = source.read(source.atStart);
  expect([modelsOf(source.atStart), modelsOf(next), next.server.port, next.server.host]).toEqual([['fast'], ['quick'], 1234, '127.0.0.2']);
});

test('a file that is gone is a fault, and no configuration of its own', () => {
  const { open, remove } = setup({ 'holdfast.config.yaml': valid });
  const source = open();
  remove('holdfast.config.yaml');
  expect(faultsOf(() => source.read(source.atStart))).toMatchObject([{ where: 'holdfast.config.yaml', problem: 'the file is gone.' }]);
});

test('a file that HOLDFAST_CONFIG names and that is gone is a fault', () => {
  const { open, remove } = setup({ 'other.yaml': valid });
  const source = open({ HOLDFAST_CONFIG: 'other.yaml' });
  remove('other.yaml');
  expect(faultsOf(() => source.read(source.atStart))).toMatchObject([{ problem: expect.stringContaining('there is no such file') }]);
});

test.each(['', '\n', '# models will come\n', '{}', '---\n'])(
  'a file that says nothing (%j) is a fault once one has said something',
  (text) => {
    const { open, write } = setup({ 'holdfast.config.yaml': valid });
    const source = open();
    write('holdfast.config.yaml', text);
    expect(faultsOf(() => source.read(source.atStart))).toMatchObject([
      { where: 'holdfast.config.yaml', problem: 'the file says nothing.' },
    ]);
  },
);

test('no file and an empty one stay what they are, and a first file is taken', () => {
  const without = setup();
  const source = without.open();
  expect(source.read(source.atStart).file).toBeUndefined();
  without.write('holdfast.config.yaml', '');
  const empty = source.read(source.atStart);
  expect(modelsOf(source.read(empty))).toEqual([]);
  without.write('holdfast.config.yaml', valid);
  expect(modelsOf(source.read(empty))).toEqual(['fast']);
});

test('a key in a file is read anew, also when it was put there by renaming', () => {
  const { open, write, cwd } = setup({
    'holdfast.config.yaml': 'providers: { primary: { kind: openai, apiKeyFile: key } }',
    key: 'sk-before\n',
  });
  const source = open();
  write('key.new', 'sk-after\n');
  renameSync(path.join(cwd, 'key.new'), path.join(cwd, 'key'));
  expect([keyOf(source.atStart), keyOf(source.read(source.atStart))]).toEqual(['sk-before', 'sk-after']);
});

test.skipIf(process.platform === 'win32')('a pipe gives its secret once: a reload knows it still, and opens no other', () => {
  const { open, write, cwd } = setup({ 'holdfast.config.yaml': 'providers: { primary: { kind: openai, apiKeyFile: pipe } }' });
  const pipe = path.join(cwd, 'pipe');
  execFileSync('mkfifo', [pipe]);
  // It waits until somebody reads, writes once and is gone.
  spawn('sh', ['-c', 'echo sk-piped > pipe'], { cwd, stdio: 'ignore' });
  const source = open();
  expect(keyOf(source.atStart)).toBe('sk-piped');
  expect(keyOf(source.read(source.atStart))).toBe('sk-piped');

  execFileSync('mkfifo', [path.join(cwd, 'other')]);
  write('holdfast.config.yaml', 'providers: { primary: { kind: openai, apiKeyFile: other } }');
  expect(faultsOf(() => source.read(source.atStart))).toMatchObject([
    { problem: expect.stringContaining('a pipe, which is read at start only') },
  ]);
});
