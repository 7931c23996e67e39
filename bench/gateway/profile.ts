/**
 * Where a request's time goes: a CPU profile of Holdfast under load, each sample given to the layer that caused it (the
 * nearest frame up the stack that belongs to one).
 *
 *   npm run bench:profile -- [--connections 16] [--stream] [--paced] [--seconds 8] [--no-write] [--functions 30] [--callers writev]
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOn } from '../support/process.ts';
import { otherCore, pinSelf, removeRunFolder, startHoldfast, startUpstream } from './subjects.ts';

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

/** The first that matches the nearest frame decides. */
const layers: readonly (readonly [layer: string, pattern: RegExp])[] = [
  [
    'log and metrics',
    /kit\/src\/(?:telemetry|privacy)|features\/(?:request-log|performance)|composition\/(?:performance|alert)|sonic-boom|node_modules\/pino|request-log|prom-client/,
  ],
  ['audit log', /features\/audit|kit\/src\/audit|platform\/audit|costs\/call-event|layers\/audit/],
  ['budgets', /costs\/budget|layers\/budget/],
  ['ledger', /features\/costs|model\/layers\/ledger|platform\/postgres|node_modules\/pg|node_modules\/kysely/],
  ['keys', /features\/identity|platform\/keyring|http\/access/],
  ['provider: reading', /kit\/src\/llm\/(?:wire|providers|dialects|spec)/],
  ['provider: connection', /kit\/src\/llm\/transport|node_modules\/undici|wasm:/],
  ['attempt limits', /kit\/src\/llm\/layers/],
  ['pipeline', /server\/src\/model/],
  ['gateway', /features\/gateway|node_modules\/zod|contracts\/src/],
  ['door', /entry\/http|node_modules\/fastify|find-my-way|node_modules\/@fastify/],
  ['HTTP server', /node:_http_server|node:_http_common|node:_http_incoming|node:_http_outgoing/],
];

const connections = Number(option('--connections') ?? 16);
const seconds = Number(option('--seconds') ?? 8);
const stream = process.argv.includes('--stream');
const paced = process.argv.includes('--paced');

const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-profile-'));
pinSelf();
const upstream = await startUpstream();
const holdfast = await startHoldfast(upstream, { nodeArguments: ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=250'] });
let requests = 0;
try {
  const body = {
    model: holdfast.model(paced),
    ...((stream || paced) && { stream: true }),
    messages: [{ role: 'user', content: 'Tell me about the sea. '.repeat(40) }],
  };
  const job = {
    port: holdfast.port,
    path: holdfast.path,
    connections,
    seconds,
    warmupSeconds: 1,
    headers: holdfast.headers,
    body,
    ...(paced && { spreadMs: 1_300 }),
  };
  requests = (
    JSON.parse(await runOn(otherCore, process.execPath, [fileURLToPath(new URL('load.ts', import.meta.url)), JSON.stringify(job)])) as {
      requests: number;
    }
  ).requests;
} finally {
  await holdfast.stop();
  await upstream.stop();
  removeRunFolder();
}
report(readProfile());
rmSync(folder, { recursive: true });

/** Worker threads write profiles too: the main thread's has the most samples. */
function readProfile(): Profile {
  const profiles = readdirSync(folder).map((file) => JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Profile);
  return profiles.toSorted((a, b) => b.samples.length - a.samples.length)[0]!;
}

function report(profile: Profile): void {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, number>();
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id);
  const layerOf = new Map<number, string>();
  const layer = (id: number): string => {
    const known = layerOf.get(id);
    if (known) return known;
    const { functionName, url } = nodes.get(id)!.callFrame;
    const parent = parents.get(id);
    const own =
      functionName === '(garbage collector)'
        ? 'garbage collection'
        : functionName === '(program)'
          ? 'system'
          : layers.find(([, pattern]) => pattern.test(url))?.[0];
    const found = own ?? (parent === undefined ? 'Node itself' : layer(parent));
    layerOf.set(id, found);
    return found;
  };
  const nameOf = (id: number): string => {
    const { functionName, url, lineNumber } = nodes.get(id)!.callFrame;
    return `${functionName || '(anonymous)'} ${url.replace(/^.*\/(?=(?:node_modules|packages)\/)/, '')}:${lineNumber + 1}`;
  };
  const times = new Map<string, number>();
  const functions = new Map<string, number>();
  const callers = new Map<string, number>();
  const asked = option('--callers');
  let total = 0;
  // Start-up is not what is asked: only the time under load counts, which is the last of the profile.
  const loadMicros = (seconds + 1) * 1_000_000;
  const whole = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  let at = 0;
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index]!;
    at += delta;
    const { functionName } = nodes.get(id)!.callFrame;
    if (functionName === '(idle)' || at < whole - loadMicros - 1_500_000) return;
    total += delta;
    times.set(layer(id), (times.get(layer(id)) ?? 0) + delta);
    const name = nameOf(id);
    functions.set(name, (functions.get(name) ?? 0) + delta);
    if (functionName === asked) {
      const path: string[] = [];
      for (let above = parents.get(id); above !== undefined && path.length < 5; above = parents.get(above)) path.push(nameOf(above));
      const chain = path.join(' < ');
      callers.set(chain, (callers.get(chain) ?? 0) + delta);
    }
  });
  const served = requests * ((seconds + 1) / seconds);
  const kind = paced ? 'paced streams' : stream ? 'streams at once' : '1 KB answers';
  const lines = [
    `# Where a request's time goes`,
    '',
    `${kind}, ${connections} connections, ${(total / served).toFixed(0)} µs of the main thread a request (the profiler's own share included).`,
    '',
    '| layer | µs a request | share |',
    '| --- | --- | --- |',
    ...[...times]
      .toSorted((a, b) => b[1] - a[1])
      .map(([name, time]) => `| ${name} | ${(time / served).toFixed(1)} | ${((time / total) * 100).toFixed(0)} % |`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  const shown = Number(option('--functions') ?? 0);
  for (const [name, time] of [...functions].toSorted((a, b) => b[1] - a[1]).slice(0, shown))
    process.stdout.write(`${(time / served).toFixed(2).padStart(7)} ${name}\n`);
  for (const [chain, time] of [...callers].toSorted((a, b) => b[1] - a[1]).slice(0, 12))
    process.stdout.write(`${(time / served).toFixed(2).padStart(7)} ${chain}\n`);
  if (process.argv.includes('--no-write')) return;
  const results = fileURLToPath(new URL('../results/', import.meta.url));
  mkdirSync(results, { recursive: true });
  writeFileSync(`${results}gateway-profile${paced ? '-paced' : stream ? '-stream' : ''}.md`, `${lines.join('\n')}\n`);
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}
