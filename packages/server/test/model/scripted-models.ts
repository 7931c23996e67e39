import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import type { AttemptRequest, AttemptResult, AttemptSink, Provider, Usage } from '@holdfast/kit/llm';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import { createModelCatalog, KeptParts, type ModelCall, type Ledger, type ModelDefinition, type Pricing } from '../../src/model/index.ts';
import { ledgerLayer, routeCall } from '../../src/model/layers/index.ts';
import { createClient, createModelCall } from '../support/model-call.ts';

/** How a target behaves, attempt by attempt; the last stays. */
export interface TargetScript {
  /** Until the first event of a stream, or a plain answer, or the failure. Default 10. */
  readonly firstMs?: number;
  /** Of a stream, until its end. Default 0. */
  readonly restMs?: number;
  readonly fails?: ErrorCode;
  /** Of a stream, in place of its end. */
  readonly breaks?: ErrorCode;
  /** Goes on when it is cancelled, as no provider may. */
  readonly deaf?: boolean;
  readonly usage?: Usage;
}

export interface ScriptedCall {
  readonly call: ModelCall;
  readonly done: Promise<string>;
  /** What the client has. */
  readonly bytes: () => string;
  /** How it ended: `completed`, or the code of its error; undefined while it runs. */
  readonly outcome: () => string | undefined;
}

const limits = { connectMs: 10_000, firstTokenMs: 60_000, answerMs: 60_000, stallMs: 60_000, totalMs: 60_000 };

/** One in which everything is durable at once. */
const ledger: Ledger = {
  available: true,
  enter: () => ({ durable: true, makeDurable: () => Promise.resolve(), settle: () => Promise.resolve() }),
};

/** One model `m` with targets `a/a1`, `b/b1`, … on a clock that stands still, behind the real route and the real layers of its targets. */
export function scriptedModels(definition: Partial<ModelDefinition>, targets: Record<string, TargetScript | readonly TargetScript[]>) {
  const clock = createFakeClock();
  const asked: { readonly target: string; readonly at: number; cancelled: unknown }[] = [];
  const scripts = new Map(Object.entries(targets));
  const names = Object.keys(targets);

  function provider(name: string): Provider {
    let attempts = 0;
    return {
      name,
      kind: 'openai',
      dialect: 'openai',
      supports: () => true,
      attempt(request, sink) {
        const given = scripts.get(name)!;
        const script = Array.isArray(given) ? (given as TargetScript[])[Math.min(attempts, given.length - 1)]! : (given as TargetScript);
        attempts++;
        const entry = { target: name, at: clock.monotonic(), cancelled: undefined as unknown };
        asked.push(entry);
        request.cancellation.onCancel((reason) => (entry.cancelled = reason));
        return play(clock, name, script, request, sink);
      },
      close: async () => {},
    };
  }

  const providers = new Map(names.map((name) => [name, provider(name)]));
  const random = createSeededRandom(1);
  const build = (kept: KeptParts) =>
    createModelCatalog({
      providers,
      models: new Map([
        ['m', { targets: names.map((name) => ({ name: `${name}/${name}1` })), limits, retry: { attempts: 1 }, ...definition }],
      ]),
      clock,
      random,
      kept,
    });
  let kept = new KeptParts();
  let catalog = build(kept);
  const route = ledgerLayer(ledger, clock)(routeCall(clock));

  function start(
    options: { readonly stream?: boolean; readonly pricing?: Pick<Pricing, 'costNanoUsd'>; readonly body?: object } = {},
  ): ScriptedCall {
    const { stream = true, pricing, body = { messages: [{ role: 'user', content: 'x'.repeat(400) }] } } = options;
    const client = createClient();
    const call = createModelCall({
      context: { startedMonotonic: clock.monotonic() },
      stream,
      body,
      sink: client.sink,
      record: { route: catalog.find('m')!, pricing: pricing && { boundsOf: () => undefined, priceId: () => undefined, ...pricing } },
    });
    let last = '';
    let outcome: string | undefined;
    const done = route(call).then(
      ({ tail }) => {
        last = tail.toString();
        return (outcome = 'completed');
      },
      (error: HoldfastError) => (outcome = error.code),
    );
    return { call, done, bytes: () => client.text() + last, outcome: () => outcome };
  }

  return {
    clock,
    asked,
    catalog: () => catalog,
    script: (target: string, script: TargetScript | readonly TargetScript[]) => void scripts.set(target, script),
    start,
    /** One call to its end, by when nothing is left behind. */
    async run(options: Parameters<typeof start>[0] = {}): Promise<ScriptedCall> {
      const started = start(options);
      while (started.outcome() === undefined) await clock.advanceAsync(clock.nextTimerInMs ?? 1);
      return started;
    },
    /** The configuration is read anew: everything is made again, but for what is kept. */
    reload(): void {
      kept = new KeptParts(kept);
      catalog = build(kept);
    },
  };
}

function play(clock: FakeClock, name: string, script: TargetScript, request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult> {
  const { firstMs = 10, restMs = 0, fails, breaks, deaf = false, usage } = script;
  return new Promise((resolve, reject) => {
    let over = false;
    let timer = clock.setTimeout(first, firstMs);
    request.cancellation.onCancel((reason) => {
      if (deaf) return;
      over = true;
      timer.cancel();
      reject(reason);
    });
    sink.connected();

    function first(): void {
      if (over) return;
      if (fails) return reject(new HoldfastError(fails));
      if (!request.stream) return end();
      sink.head({ headers: {} });
      sink.data(Buffer.from(`${name} begins;`));
      timer = clock.setTimeout(end, restMs);
    }
    function end(): void {
      if (over) return;
      if (breaks) return reject(new HoldfastError(breaks));
      resolve({
        head: { headers: {} },
        tail: Buffer.from(`${name} ends`),
        usage,
        finishReason: 'stop',
        servedModel: undefined,
        outputBytes: 10,
      });
    }
  });
}
