import OpenAI from 'openai';
import { createAnthropicProvider } from '@holdfast/kit/llm/providers/anthropic';
import { createOpenaiProvider } from '@holdfast/kit/llm/providers/openai';
import { createTransport } from '@holdfast/kit/llm/transport';
import { withDialects } from '@holdfast/kit/llm/dialects';
import { createSeededRandom, startScriptedUpstream, type ScriptedUpstream, type UpstreamCall } from '@holdfast/kit/testing';
import { createUuidV7 } from '@holdfast/kit/time';
import { createHttpServer } from '../../src/entry/http/index.ts';
import { gatewayRoutes } from '../../src/features/gateway/index.ts';
import {
  createModelCatalog,
  createPipeline,
  ModelGeneration,
  ServedModels,
  type ModelCatalog,
  type ModelDefinition,
  type Pricing,
  type Principal,
} from '../../src/model/index.ts';
import { BudgetKeeper, type Budget } from '../../src/features/costs/budgets/index.ts';
import { MemorySlices } from '../costs/budgets/memory-slices.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { fakeTime, realTime, type SceneTime } from './time.ts';

/** What a client saw of one call. */
export interface Seen {
  readonly status: number;
  readonly code: string | undefined;
  readonly headers: Headers;
  /** The text of the answer, or of its beginning. */
  readonly text: string;
  /** The client was told that the answer is whole. */
  readonly finished: boolean;
  /** From the call to its end, in milliseconds of the scene. */
  readonly tookMs: number;
}

/** A request as the upstream saw it, on the clock of the scene since the call began. */
export interface SeenUpstream {
  readonly model: string | undefined;
  readonly atMs: number;
  readonly key: string | undefined;
}

export interface CallOptions {
  readonly stream?: boolean;
  readonly messages?: readonly object[];
  /** Of the SDK. Default 2, as it comes. */
  readonly maxRetries?: number;
}

/** A gateway on a real port between the official SDK and a scripted upstream; only the ledger is in memory, and time as the scene wants it. */
export interface Scene {
  readonly upstream: ScriptedUpstream;
  readonly catalog: ModelCatalog;
  readonly ledger: MemoryLedger;
  readonly time: SceneTime;
  /** What is held of the budget that every call is under, and what it has spent. */
  budget(): { readonly reserved: number; readonly spent: number };
  /** Requests that came through the door, to see what clients repeat. */
  readonly requests: number;
  call(model: string, options?: CallOptions): Promise<Seen>;
  /** Whatever the upstream got since the scene began or `forget` was called. */
  seen(): readonly SeenUpstream[];
  forget(): void;
  /** Timers that are left once connections have had their time to be given back, beyond those of the scene itself. 0 on a real clock. */
  timersLeft(): Promise<number>;
  close(): Promise<void>;
}

/** A connection whose answer has ended is given back by then. */
const lingerMs = 2_000;

const limits = { connectMs: 10_000, firstTokenMs: 15_000, answerMs: 40_000, stallMs: 10_000, totalMs: 120_000 };
/** Without chance, so that the spacing of attempts can be said to the millisecond. */
const retry = { jitter: 'none' } as const;

const definition = (targets: readonly string[], others: Partial<ModelDefinition> = {}): ModelDefinition => ({
  targets: targets.map((name) => ({ name })),
  limits,
  retry,
  ...others,
});

/** The models of every scene: one target, several, and the beginning held back. */
export const sceneModels: Readonly<Record<string, ModelDefinition>> = {
  alone: definition(['p/one']),
  pair: definition(['p/one', 'p/two']),
  three: definition(['p/one', 'p/two', 'p/three']),
  patient: definition(['p/one'], { limits: { ...limits, firstTokenMs: 30_000 } }),
  held: definition(['p/one'], { holdBackMs: 500 }),
  keyed: definition(['keyed/one']),
  claude: definition(['p/one', 'claude/two']),
};

const principal: Principal = {
  organizationId: '019a9c5a-0000-7000-8000-000000000001',
  organizationTier: 'unlimited',
  keyId: '019a9c5a-0000-7000-8000-000000000002',
  userId: undefined,
  scopes: new Set(['inference']),
  allowedModels: undefined,
};

/** Every call of a scene is under it: however it ends, nothing stays held. */
const budget: Budget = {
  ...{ id: 'b', organizationId: principal.organizationId, name: 'b', subject: 'organization', subjectIds: [principal.organizationId] },
  ...{ period: 'total', limitNanoUsd: 1_000_000_000_000, enforcement: 'hard', createdAt: 0 },
};
const rate = 1_000;
const flat = { inputPicoUsd: rate, cachedPicoUsd: rate, cacheWritePicoUsd: rate, outputPicoUsd: rate, reasoningPicoUsd: rate };
const bounds = { prices: [{ ...flat, tiers: [] }], limit: { context: 100_000, output: 1_000 } } as unknown as ReturnType<
  Pricing['boundsOf']
>;

export async function openScene(real: boolean): Promise<Scene> {
  let heard = 0;
  const seenBy: { upstream?: ScriptedUpstream } = {};
  const time = real ? realTime() : fakeTime(() => heard + activityOf(seenBy.upstream?.calls ?? []));
  const { clock } = time;
  const random = createSeededRandom(7);
  const played = await startScriptedUpstream({ clock });
  seenBy.upstream = played;
  const transport = createTransport({ allowedOrigins: [played.url] });
  const common = { transport, clock, baseUrl: played.openaiBaseUrl };
  const providers = new Map(
    [
      createOpenaiProvider({ name: 'p', apiKeys: ['sk-p'], ...common }),
      createOpenaiProvider({ name: 'keyed', apiKeys: ['sk-bad', 'sk-good'], ...common }),
      createAnthropicProvider({ name: 'claude', apiKeys: ['sk-ant'], ...common }),
    ].map((provider) => [provider.name, withDialects(provider, { clock, random, maxTokensField: 'max_completion_tokens' })]),
  );
  const catalog = createModelCatalog({ providers, models: new Map(Object.entries(sceneModels)), clock, random });
  const ledger = new MemoryLedger();
  const slices = new MemorySlices();
  slices.budgets.set(budget.id, { limitNano: budget.limitNanoUsd, hard: true, deleted: false });
  const budgets = new BudgetKeeper({
    store: { lease: async (id, questions) => slices.lease(id, questions) },
    instanceId: () => 'only',
    clock,
    whenAway: 'refuse',
  });
  budgets.put(budget);
  const models = new ServedModels(
    new ModelGeneration({
      catalog,
      pricing: { costNanoUsd: () => 1, boundsOf: () => bounds, priceId: () => undefined },
      clock,
      longestCallMs: 600_000,
      onUnused: () => {},
    }),
  );
  const createId = createUuidV7(clock, random);
  const server = await createHttpServer({ clock, createId, version: '0', authenticate: () => principal });
  server.app.addHook('onRequest', (_request, _reply, done) => {
    heard += 1;
    requests += 1;
    done();
  });
  server.addGateway(
    gatewayRoutes({
      pipeline: createPipeline({ models, limits: undefined, budgets, ledger, clock }),
      listModels: () => [],
      clock,
      createId,
      maxDepth: 64,
    }),
  );
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  let requests = 0;
  let answered: Headers | undefined;
  let from = 0;
  let beganMs = 0;
  const openai = new OpenAI({
    baseURL: `http://127.0.0.1:${port}/v1`,
    apiKey: 'any',
    fetch: async (input, init) => {
      const response = await fetch(input, init);
      answered = response.headers;
      heard += 1;
      return response;
    },
  });

  async function call(model: string, options: CallOptions = {}): Promise<Seen> {
    const { stream = true, messages = [{ role: 'user', content: 'hi' }], maxRetries = 2 } = options;
    const began = clock.monotonic();
    beganMs = clock.now();
    answered = undefined;
    let text = '';
    let finished = false;
    const body = { model, messages: messages as never };
    const work = (async () => {
      if (!stream) {
        const answer = await openai.chat.completions.create(body, { maxRetries });
        text = answer.choices[0]!.message.content ?? '';
        finished = answer.choices[0]!.finish_reason !== null;
        return;
      }
      for await (const chunk of await openai.chat.completions.create({ ...body, stream: true }, { maxRetries })) {
        heard += 1;
        text += chunk.choices[0]?.delta.content ?? '';
        if (chunk.choices[0]?.finish_reason) finished = true;
      }
    })();
    const error = await time.play(work).then(
      () => undefined,
      (thrown: unknown) => thrown as Error & { status?: number; code?: string },
    );
    if (error && error.code === undefined) throw error;
    const status = error?.status ?? 200;
    return { status, code: error?.code, headers: answered!, text, finished, tookMs: Math.round(clock.monotonic() - began) };
  }

  const scene: Scene = {
    upstream: played,
    catalog,
    ledger,
    time,
    budget() {
      const [slice] = budgets.slices();
      return { reserved: slice?.reserved ?? 0, spent: slice?.spent ?? 0 };
    },
    get requests() {
      return requests;
    },
    call,
    seen: () =>
      played.calls.slice(from).map(({ model, receivedAtMs, headers }) => ({
        model,
        atMs: Math.round(receivedAtMs - beganMs),
        key: headers.authorization?.slice('Bearer '.length),
      })),
    forget() {
      from = played.calls.length;
    },
    async timersLeft() {
      if (time.real) return 0;
      await time.pass(lingerMs);
      return time.pendingTimers()! - timersBefore;
    },
    async close() {
      await budgets.close();
      await server.drain({ timeoutMs: 0 });
      await transport.close();
      await played.close();
      catalog.dispose();
    },
  };
  // The first call compiles parsers and opens connections, off the turns of the event loop.
  await warmUp(port);
  scene.forget();
  requests = 0;
  ledger.rows.length = 0;
  if (!real) await time.pass(lingerMs);
  const timersBefore = time.pendingTimers() ?? 0;
  return scene;
}

async function warmUp(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
    body: JSON.stringify({ model: 'p/warm', messages: [{ role: 'user', content: 'hi' }] }),
  });
  if (response.status !== 200) throw new Error(`the scene does not answer: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
}

/** A number that changes with everything that the upstream does or sees. */
function activityOf(calls: readonly UpstreamCall[]): number {
  let sum = calls.length;
  for (const { bytesSent, eventsSent, outcome, body, status } of calls) {
    sum += bytesSent + eventsSent + body.length + (outcome === 'open' ? 0 : 1) + (status ?? 0);
  }
  return sum;
}
