import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '@holdfast/kit/time';
import { createSeededRandom } from '@holdfast/kit/testing';
import { checkBudgets } from './check-budgets.ts';
import { checkLog } from './check-log.ts';
import { check, withViolations, type CheckOptions, type Finding } from './checker.ts';
import { Companion } from './companion.ts';
import { CrashServer, operatorKey, processesOf, type ServerRun } from './crash-server.ts';
import type { ClientLine, Crash, Evidence, UpstreamArrival, UpstreamEnd } from './evidence.ts';
import { LinesFile } from './lines-file.ts';
import { readMarker } from './marker.ts';
import { chatModels, type FromLoad, type FromUpstream, type ToLoad } from './messages.ts';
import { below } from './plan-call.ts';
import { planRounds, type RoundPlan, type Target } from './plan-round.ts';
import { addBudget, killBackend, readBudgets, readLog, readStored } from './stored.ts';

export interface CrashRunOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (result: RoundResult) => void;
  /** Every round is a SIGTERM with time for all calls, and none of them may be lost. Default false. */
  readonly onlyDrains?: boolean;
  /** Every round ends this way. */
  readonly only?: Target;
  /** Ends the run after the round that goes on. */
  readonly signal?: AbortSignal;
}

export interface RoundResult {
  readonly round: number;
  readonly plan: RoundPlan;
  readonly finding: Finding;
  /** What the server did that it should not have, apart from what is stored: it lived on without its database, it did not stop. */
  readonly faults: readonly string[];
  /** Processes that were killed, failed starts included. */
  readonly kills: number;
  /** From the start that was let through until it listened. */
  readonly restartMs: number;
}

export interface CrashRunResult {
  readonly rounds: readonly RoundResult[];
  /** All rounds together, from what was stored at the very end. */
  readonly total: Finding;
  readonly faults: readonly string[];
  readonly kills: number;
  readonly durationMs: number;
  /** Logs and data; removed when nothing was found. */
  readonly folder: string;
}

/** Written down by hand from the providers' price lists of 2026: the checker must not learn prices from what it checks. */
const checkOptions: CheckOptions = {
  prices: {
    [chatModels.openai]: { prompt: 150, completion: 600 },
    [chatModels.anthropic]: { prompt: 3_000, completion: 15_000 },
  },
  overtakenAfterMs: 50,
};

/** Of two hard budgets: one that all rounds together do not reach, and one that is used up early, so that calls are refused by it in most rounds. */
const roomyNano = 10_000_000_000_000;
const tightNano = 400_000_000;

/** How long a round waits for its moment before it strikes anyway. */
const patienceMs = 800;
/** How long a server without its database may take to end. */
const endLimitMs = 20_000;
const firstStartMs = 1_500;
const maxStarts = 5;
/** Shorter than many calls take, and longer than any. */
const hastyDrainMs = 500;
const patientDrainMs = 60_000;

/** Starts the server, calls it, kills it, and so on; then has it judged. */
export async function runCrashes(options: CrashRunOptions): Promise<CrashRunResult> {
  const startedAtMs = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-crash-'));
  chmodSync(folder, 0o755);
  const { onlyDrains = false } = options;
  const scene = await Scene.open(folder, options.seed, onlyDrains ? patientDrainMs : hastyDrainMs);
  const rounds: RoundResult[] = [];
  let found = true;
  try {
    const plans = planRounds(scene.random, onlyDrains, options.only);
    const startFaults: string[] = [];
    await scene.firstStart(startFaults, !onlyDrains);
    for (let round = 0; round < options.rounds && !options.signal?.aborted; round++) {
      const result = await scene.round(round, plans.next().value);
      rounds.push(result);
      options.onRound?.(result);
    }
    const total = withViolations(check(await scene.everything(), checkOptions), await scene.checkLog());
    const faults = [...startFaults, ...rounds.flatMap((each) => each.faults.map((fault) => `round ${each.round}: ${fault}`))];
    found = total.violations.length + faults.length + rounds.reduce((sum, each) => sum + each.finding.violations.length, 0) > 0;
    return { rounds, total, faults, kills: scene.kills, durationMs: Date.now() - startedAtMs, folder };
  } finally {
    await scene.close();
    if (!found) rmSync(folder, { recursive: true, force: true });
  }
}

class Scene {
  readonly random: Random;
  kills = 0;
  readonly #endLimitMs: number;
  readonly #run: string;
  readonly #server: CrashServer;
  readonly #load: Companion<ToLoad, FromLoad>;
  readonly #upstream: Companion<{ readonly kind: 'settle' }, FromUpstream>;
  readonly #files: {
    readonly clients: LinesFile<ClientLine>;
    readonly arrivals: LinesFile<UpstreamArrival>;
    readonly served: LinesFile<UpstreamEnd>;
  };
  readonly #clients: ClientLine[] = [];
  readonly #arrivals: UpstreamArrival[] = [];
  readonly #served: UpstreamEnd[] = [];
  readonly #crashes: Crash[] = [];
  #process: ServerRun | undefined;
  #url = '';
  #budgetKeys: [string, string] = ['', ''];

  static async open(folder: string, seed: number, drainTimeoutMs: number): Promise<Scene> {
    const path = (name: string) => join(folder, name);
    const run = `x${seed.toString(36)}`;
    const upstream = new Companion<{ readonly kind: 'settle' }, FromUpstream>('upstream-main', [
      '--arrivals',
      path('arrivals.jsonl'),
      '--served',
      path('served.jsonl'),
    ]);
    const { url } = await upstream.next('listening');
    const load = new Companion<ToLoad, FromLoad>('load-main', ['--log', path('clients.jsonl'), '--seed', String(seed), '--run', run]);
    return new Scene(folder, seed, run, new CrashServer(folder, url, drainTimeoutMs), load, upstream, drainTimeoutMs + endLimitMs);
  }

  private constructor(
    folder: string,
    seed: number,
    run: string,
    server: CrashServer,
    load: Companion<ToLoad, FromLoad>,
    upstream: Companion<{ readonly kind: 'settle' }, FromUpstream>,
    serverEndLimitMs: number,
  ) {
    this.#endLimitMs = serverEndLimitMs;
    const path = (name: string) => join(folder, name);
    this.random = createSeededRandom(seed);
    this.#run = run;
    this.#server = server;
    this.#load = load;
    this.#upstream = upstream;
    this.#files = {
      clients: new LinesFile(path('clients.jsonl')),
      arrivals: new LinesFile(path('arrivals.jsonl')),
      served: new LinesFile(path('served.jsonl')),
    };
  }

  /** The first start makes the cluster, the tables and the key; it is killed in the middle, too. */
  async firstStart(faults: string[], killed: boolean): Promise<void> {
    if (killed) await this.#killedStart(below(this.random, firstStartMs), this.random.next() < 0.3);
    await this.#start(faults);
    this.#budgetKeys = [await this.#addBudget('roomy', roomyNano), await this.#addBudget('tight', tightNano)];
    // Longer than it takes an instance to hear of them: calls before that are not counted.
    await sleep(2_500);
  }

  /** A key, and a hard budget over it. */
  async #addBudget(name: string, limitNano: number): Promise<string> {
    const headers = { authorization: `Bearer ${operatorKey}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ name, scopes: ['inference'] });
    const response = await fetch(`${this.#url}/api/keys`, { method: 'POST', headers, body });
    const { id, secret } = (await response.json()) as { id: string; secret: string };
    await addBudget(this.#server.socket()!, name, id, limitNano);
    return secret;
  }

  async round(round: number, plan: RoundPlan): Promise<RoundResult> {
    const killsBefore = this.kills;
    const faults: string[] = [];
    const idle = this.#load.next('idle', 180_000);
    const reached = this.#load.next('reached', patienceMs).catch(() => undefined);
    const { workers, tellAfter } = plan;
    const killPids = plan.byClient ? this.#victims(plan.target) : [];
    this.#load.tell({ kind: 'begin', round, url: this.#url, keys: [operatorKey, ...this.#budgetKeys], workers, tellAfter, killPids });
    const moment = await reached;
    if (plan.moment === 'idle' || plan.moment === 'start') {
      this.#load.tell({ kind: 'finish' });
      await idle;
    }
    if (killPids.length > 0 && moment) {
      this.kills += killPids.length;
      this.#crashes.push({ round, atMs: moment.atMs });
      if (plan.target === 'postgres') await this.#requireEnd(faults);
      await this.#process!.exited;
    } else {
      if (killPids.length > 0) this.#load.tell({ kind: 'disarm' });
      await sleep(plan.delayMs);
      this.#crashes.push({ round, atMs: Date.now(), ...(plan.hang?.fullDisk && { overtakenAfterMs: 1_500 }) });
      await this.#strike(plan, faults);
    }
    await idle;
    for (const { afterMs, postgresToo } of plan.killedStarts) await this.#killedStart(afterMs, postgresToo);
    const restartMs = await this.#start(faults);
    const evidence = await this.#evidenceOf(round);
    // The longer the log, the longer it takes to verify all of it: then not after each round, and at the end in any case.
    const further = round < 30 || round % 25 === 0 ? await this.checkLog() : [];
    const budgets = checkBudgets(await readBudgets(this.#server.socket()!));
    const finding = withViolations(check(evidence, checkOptions), [...further, ...budgets]);
    const left = this.#server.spilled();
    if (left.length > 0) faults.push(`after a start with its database ${left.join(', ')} were left on the disk`);
    if (plan.target === 'stop' || plan.target === 'drain') faults.push(...disorder(evidence));
    if (plan.target === 'drain') faults.push(...lostByDrain(evidence));
    return { round, plan, finding, faults, kills: this.kills - killsBefore, restartMs };
  }

  async checkLog() {
    return checkLog(await readLog(this.#server.socket()!));
  }

  /** What is left at the very end of all rounds. */
  async everything(): Promise<Evidence> {
    const stored = await readStored(this.#server.socket()!, `${this.#run}.`);
    return { clients: this.#clients, arrivals: this.#arrivals, served: this.#served, crashes: this.#crashes, ...stored };
  }

  async close(): Promise<void> {
    if (this.#process && !this.#process.ended) {
      this.#process.kill('SIGTERM');
      await Promise.race([this.#process.exited, sleep(endLimitMs)]);
    }
    const left = this.#server.postmasterPid();
    if (left !== undefined) kill(left);
    if (this.#process && !this.#process.ended) this.#process.kill('SIGKILL');
    await this.#load.stop();
    await this.#upstream.stop();
  }

  async #evidenceOf(round: number): Promise<Evidence> {
    const settled = this.#upstream.next('settled');
    this.#upstream.tell({ kind: 'settle' });
    await settled;
    const clients = this.#files.clients.next();
    const arrivals = this.#files.arrivals.next();
    const served = this.#files.served.next();
    this.#clients.push(...clients);
    this.#arrivals.push(...arrivals);
    this.#served.push(...served);
    const stored = await readStored(this.#server.socket()!, `${this.#run}.${round}.`);
    return { clients, arrivals, served, crashes: this.#crashes.filter((crash) => crash.round === round), ...stored };
  }

  /** Holds at return: the server process has ended. */
  async #strike({ target, hang }: RoundPlan, faults: string[]): Promise<void> {
    const server = this.#process!;
    const killServer = (): void => this.#killServer();
    switch (target) {
      case 'server':
        killServer();
        break;
      case 'both':
        if (this.random.next() < 0.5) {
          killServer();
          this.#killPostgres();
        } else {
          this.#killPostgres();
          killServer();
        }
        break;
      case 'stop':
      case 'drain':
        server.kill('SIGTERM');
        await this.#requireExit(server, 'after SIGTERM', (code) => code === 0, faults);
        break;
      case 'postgres':
        this.#killPostgres();
        await this.#requireEnd(faults);
        break;
      case 'hang':
        await this.#hang(hang!, faults);
        break;
      case 'backend': {
        await killBackend(this.#server.socket()!, this.random);
        this.kills++;
        await this.#requireAnswers(5, 'after PostgreSQL had thrown its sessions out', faults);
        this.#load.tell({ kind: 'finish' });
        killServer();
        break;
      }
    }
    await server.exited;
  }

  /** PostgreSQL stands still; calls go on all the same, unless the disk takes nothing either. */
  async #hang({ end, fullDisk, answers, replayMs }: NonNullable<RoundPlan['hang']>, faults: string[]): Promise<void> {
    const server = this.#process!;
    const stopped = processesOf(this.#server.postmasterPid() ?? 0);
    const limitFiles = (bytes: string) => spawnSync('prlimit', ['--pid', String(server.pid), `--fsize=${bytes}`]).status === 0;
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
    try {
      if (fullDisk && limitFiles('0:unlimited')) {
        // Longer than it takes to find out that neither takes anything.
        await sleep(4_000);
        limitFiles('unlimited:unlimited');
      }
      await this.#requireAnswers(answers, 'while PostgreSQL stood still', faults);
      if (end === 'postgres') this.#killPostgres();
      if (end === 'server') this.#killServer();
    } finally {
      for (const pid of stopped) signal(pid, 'SIGCONT');
    }
    if (end === 'postgres') return void (await this.#requireEnd(faults));
    if (end !== 'server') await sleep(replayMs);
    this.#load.tell({ kind: 'finish' });
    if (end === 'both in the replay') this.#killPostgres();
    this.#killServer();
  }

  #killServer(): void {
    this.kills++;
    this.#process!.kill('SIGKILL');
  }

  async #requireAnswers(count: number, when: string, faults: string[]): Promise<void> {
    const answers = this.#load.next('reached', endLimitMs).then(
      () => true,
      () => false,
    );
    this.#load.tell({ kind: 'watch', event: 'whole', count });
    if (!(await answers)) faults.push(`no call was answered any more ${when}`);
  }

  /** The processes of PostgreSQL come first: what the server had only just sent must not be committed after all. */
  #victims(target: RoundPlan['target']): number[] {
    const server = target === 'server' || target === 'both' ? this.#process!.pid : undefined;
    const postgres = target === 'postgres' || target === 'both' ? this.#server.postmasterPid() : undefined;
    return [postgres, server].filter((pid) => pid !== undefined);
  }

  /** Without its database the server ends, and says so to whoever starts it again. */
  async #requireEnd(faults: string[]): Promise<void> {
    await this.#requireExit(this.#process!, 'after its PostgreSQL was killed', (code) => code !== 0 && code !== null, faults);
  }

  async #requireExit(server: ServerRun, when: string, right: (code: number | null) => boolean, faults: string[]): Promise<void> {
    const code = await Promise.race([server.exited, sleep(this.#endLimitMs).then(() => undefined)]);
    if (code === undefined) {
      faults.push(`${when} the server did not end in ${this.#endLimitMs} ms`);
      server.kill('SIGKILL');
    } else if (!right(code)) faults.push(`${when} the server ended with ${code}`);
  }

  /** Where none is found it has died already; and one that was overlooked shows itself by a server that goes on. */
  #killPostgres(): void {
    const pid = this.#server.postmasterPid();
    if (pid === undefined) return;
    this.kills++;
    kill(pid);
  }

  async #killedStart(afterMs: number, postgresToo: boolean): Promise<void> {
    const server = this.#server.start();
    await sleep(afterMs);
    this.kills++;
    server.kill('SIGKILL');
    if (postgresToo) this.#killPostgres();
    await server.exited;
  }

  /** A start that fails is a fault, and tried again as a process manager would, so that the rest can be judged. */
  async #start(faults: string[]): Promise<number> {
    const beganAtMs = Date.now();
    for (let tries = 1; ; tries++) {
      this.#process = this.#server.start();
      try {
        this.#url = await this.#process.listening;
        return Date.now() - beganAtMs;
      } catch (error) {
        if (tries === maxStarts) throw error;
        faults.push(String(error));
      }
    }
  }
}

/** A server that is stopped in order settles every call itself, and takes none that it has cut for a failure of the provider. */
function disorder({ rows }: Evidence): string[] {
  const interrupted = rows.filter((row) => row.outcome === 'interrupted');
  const failed = rows.filter((row) => {
    const planned = readMarker(row.marker ?? '')?.answer;
    return row.outcome === 'failed' && planned?.errorStatus === undefined && planned?.cutAfter === undefined;
  });
  return [
    ...interrupted.map(({ marker }) => `${marker} was left to recovery although the server was stopped in order`),
    ...failed.map(({ marker }) => `${marker} was cut by the stop and is stored as failed`),
  ];
}

/**
 * A server that has time for its calls gives each that it took its whole answer: what it turns away it has not asked a provider for. A connection that
 * was idle may be closed in the very moment in which its client writes to it: then nothing was taken, and nothing is lost but the writing.
 */
function lostByDrain({ clients, arrivals }: Evidence): string[] {
  const asked = new Set(arrivals.map(({ marker }) => marker));
  return clients.flatMap(({ marker, status, whole, end, errorEvent }) => {
    const planned = readMarker(marker)?.answer;
    const fails = planned?.errorStatus !== undefined || planned?.cutAfter !== undefined;
    if (end === 'left' || whole || (fails && (errorEvent || status !== 200))) return [];
    return status === 200 || asked.has(marker)
      ? [`${marker} was taken and came to no whole answer although there was time: ${status}, ${end}`]
      : [];
  });
}

function kill(pid: number): void {
  signal(pid, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself meanwhile.
  }
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
