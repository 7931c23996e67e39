import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';

const bin = path.join(import.meta.dirname, '..', 'bin', 'holdfast.js');

/** What `main` would be: it says how it was started, and waits for a signal when it is told to. */
const program = `
const report = { version: process.version, pid: process.pid, execArgv: process.execArgv, argv: process.argv.slice(2) };
if (process.argv[2] === 'wait') {
  const alive = setInterval(() => {}, 1000);
  process.on('SIGTERM', () => { clearInterval(alive); process.exitCode = 7; });
} else process.exitCode = Number(process.argv[2] ?? 0);
process.stdout.write(JSON.stringify(report) + '\\n');
`;

interface Layout {
  /** A clone, with the sources. */
  readonly source?: boolean;
  /** Built. */
  readonly built?: boolean;
  /** The Node that npm brings. */
  readonly node?: string;
}

/** A folder like a clone, or like an installed package. */
function install({ source = false, built = false, node }: Layout): string {
  const root = mkdtempSync(path.join(tmpdir(), 'holdfast-launcher-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const server = path.join(root, 'packages', 'server');
  for (const folder of ['bin', 'src', 'dist']) mkdirSync(path.join(server, folder), { recursive: true });
  cpSync(bin, path.join(server, 'bin', 'holdfast.js'));
  writeFileSync(path.join(server, 'package.json'), '{ "type": "module" }');
  if (source) writeFileSync(path.join(server, 'src', 'main.ts'), `const from: string = 'source';\n${program}`);
  if (built) writeFileSync(path.join(server, 'dist', 'main.js'), program);
  if (node !== undefined) {
    mkdirSync(path.join(root, 'node_modules', '.bin'), { recursive: true });
    symlinkSync(node, path.join(root, 'node_modules', '.bin', 'node'));
  }
  return path.join(server, 'bin', 'holdfast.js');
}

function run(node: string, script: string, args: readonly string[] = []) {
  const { status, stdout, stderr } = spawnSync(node, [script, ...args], { encoding: 'utf8', env: { PATH: process.env['PATH'] } });
  return {
    status,
    stderr,
    report: stdout === '' ? undefined : (JSON.parse(stdout) as { version: string; execArgv: string[]; argv: string[] }),
  };
}

describe('on a Node that is new enough', () => {
  const node = process.execPath;

  test('a clone runs its sources, under the condition that finds those of the other packages', () => {
    const { status, stderr, report } = run(node, install({ source: true }), ['5', '--x']);
    expect({ status, stderr }).toEqual({ status: 5, stderr: '' });
    expect(report?.argv).toEqual(['5', '--x']);
    expect(report?.execArgv).toContain('--conditions=dev-source');
  });

  test('under the condition already, it starts nothing else', () => {
    const script = install({ source: true });
    const { stdout } = spawnSync(node, ['--conditions=dev-source', script], { encoding: 'utf8' });
    expect((JSON.parse(stdout) as { execArgv: string[] }).execArgv).toEqual(['--conditions=dev-source']);
  });

  test('what is built is run as it is', () => {
    const { status, report } = run(node, install({ built: true }), ['4']);
    expect(status).toBe(4);
    expect(report?.execArgv).toEqual([]);
  });

  test('a program that cannot be loaded is one line', () => {
    const script = install({ built: true });
    writeFileSync(path.join(path.dirname(script), '..', 'dist', 'main.js'), 'import "./nowhere.js";');
    const { status, stderr } = run(node, script);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^holdfast: the program cannot be loaded: .*nowhere\.js.*\n$/);
  });

  test.skipIf(process.platform === 'win32')('no process stands between a signal and the program', async () => {
    const child = spawn(node, [install({ source: true }), 'wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect((JSON.parse(line.toString()) as { pid: number }).pid).toBe(child.pid);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});

/** An older Node, when this machine has one; npm's scripts put their own first on the PATH. */
function olderNode(): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/local/bin', '/usr/bin'];
  return folders
    .map((folder) => path.join(folder, 'node'))
    .filter((candidate) => existsSync(candidate))
    .find((candidate) => {
      const [major, minor] = spawnSync(candidate, ['--version'], { encoding: 'utf8' }).stdout.slice(1).split('.').map(Number);
      return major! < 22 || (major === 22 && minor! < 19);
    });
}

describe('on a Node that is too old', () => {
  let old: string | undefined;
  beforeAll(() => {
    old = olderNode();
  });
  const needOld = (skip: (note: string) => void): string => {
    if (old === undefined) skip('this machine has no Node before 22.19');
    return old!;
  };

  test('an installed package says so in one line', ({ skip }) => {
    const { status, stderr, report } = run(needOld(skip), install({ built: true }));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^holdfast: Node \d+\.\d+\.\d+ is too old, Holdfast needs 22\.19 or later\.\n$/);
    expect(report).toBeUndefined();
  });

  test('a clone without the Node that npm brings says how to get it, in one line', ({ skip }) => {
    const { status, stderr } = run(needOld(skip), install({ source: true }));
    expect(status).toBe(1);
    expect(stderr).toMatch(/^holdfast: Node \S+ is too old, Holdfast needs 22\.19 or later: .*npm ci.*\n$/);
  });

  test('a Node from npm that does not run here counts as missing', ({ skip }) => {
    const broken = path.join(mkdtempSync(path.join(tmpdir(), 'holdfast-launcher-')), 'node');
    onTestFinished(() => rmSync(path.dirname(broken), { recursive: true, force: true }));
    writeFileSync(broken, '#!/nowhere/ld-linux\n', { mode: 0o755 });
    const { status, stderr } = run(needOld(skip), install({ source: true, node: broken }));
    expect(status).toBe(1);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  test('a clone with it goes on there, with arguments and exit code', ({ skip }) => {
    const { status, stderr, report } = run(needOld(skip), install({ source: true, node: process.execPath }), ['6', 'a b']);
    expect({ status, stderr }).toEqual({ status: 6, stderr: '' });
    expect(report).toMatchObject({ version: process.version, argv: ['6', 'a b'] });
    expect(report?.execArgv).toContain('--conditions=dev-source');
  });

  test('signals are passed on to it', async ({ skip }) => {
    const child = spawn(needOld(skip), [install({ source: true, node: process.execPath }), 'wait'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([7, null]);
  });
});
