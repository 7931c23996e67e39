import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import { AttemptError, readShallowBody, type AttemptRequest, type AttemptResult, type AttemptSink, type Provider } from '@holdfast/kit/llm';
import { createFakeClock, createSeededRandom, type FakeClock } from '@holdfast/kit/testing';
import { Cancellation } from '@holdfast/kit/time';
import {
  createModelCatalog,
  createPipeline,
  emptyRecord,
  ModelGeneration,
  ServedModels,
  type ModelCall,
  type ModelCatalog,
  type ModelDefinition,
} from '../../src/model/index.ts';
import { MemoryLedger } from './memory-ledger.ts';

/** How a target treats one request. */
export interface Behaviour {
  readonly connectedAfterMs: number;
  /** From the connection to the first event; undefined: the failure, or the end, comes before any. */
  readonly firstAfterMs: number | undefined;
  /** From there to the end. */
  readonly endsAfterMs: number;
  readonly failure: { readonly code: ErrorCode; readonly retryAfterSeconds?: number | undefined } | undefined;
}

export interface OfferedCall {
  /** Since the call before. */
  readonly gapMs: number;
  /** Of its requests, in their order; the last one of all that follow. */
  readonly behaviours: readonly Behaviour[];
  /** When the client goes away. */
  readonly abortAfterMs?: number | undefined;
}

/** One request as a target got it. */
export interface SentRequest {
  readonly call: number;
  readonly target: string;
  readonly atMs: number;
  /** The client had a byte of an earlier one. */
  readonly late: boolean;
  /** Before and after what it was sent, and ended: several things happen in one millisecond. */
  readonly turn: number;
  endedTurn: number | undefined;
  endedAtMs: number | undefined;
  retryAfterMs: number | undefined;
}

export interface Offered {
  readonly clock: FakeClock;
  readonly catalog: ModelCatalog;
  readonly ledger: MemoryLedger;
  readonly sent: readonly SentRequest[];
  /** Of each call: the code of its error, or the requests whose bytes the client got, in their order. */
  readonly outcomes: readonly (ErrorCode | readonly number[])[];
  /** Subscriptions to cancellations of calls that were not ended. */
  readonly listeners: number;
  /** Offers some more on the same state. */
  offer(calls: readonly OfferedCall[]): Promise<void>;
}

/** Counts who listens. */
class CountedCancellation extends Cancellation {
  listening = 0;

  override onCancel(listener: (reason: unknown) => void): () => void {
    const stop = super.onCancel(listener);
    // Whoever has been told is no longer kept.
    let counted = !this.cancelled;
    if (counted) this.listening += 1;
    return () => {
      if (counted && !this.cancelled) this.listening -= 1;
      counted = false;
      stop();
    };
  }

  override cancel(reason: unknown): void {
    super.cancel(reason);
    this.listening = 0;
  }
}

const body = readShallowBody(Buffer.from('{"messages":[]}'));

let turn = 0;

/** A pipeline over targets that do what each call brings along. */
export function createTraffic(definition: ModelDefinition, seed: number): Offered {
  const clock = createFakeClock();
  const sent: SentRequest[] = [];
  const outcomes: (ErrorCode | readonly number[])[] = [];
  const cancellations: CountedCancellation[] = [];
  const ledger = new MemoryLedger();
  const plans = new Map<string, { readonly call: OfferedCall; readonly index: number; asked: number; begun: boolean }>();

  const provider: Provider = {
    name: 'p',
    kind: 'openai',
    dialect: 'openai',
    supports: () => true,
    attempt(request, sink) {
      const plan = plans.get((request as AttemptRequest & { readonly callId: string }).callId)!;
      const behaviour = plan.call.behaviours[Math.min(plan.asked, plan.call.behaviours.length - 1)]!;
      plan.asked += 1;
      const entry: SentRequest = {
        call: plan.index,
        target: request.model,
        atMs: clock.monotonic(),
        late: plan.begun,
        turn: turn++,
        endedTurn: undefined,
        endedAtMs: undefined,
        retryAfterMs: undefined,
      };
      return play(behaviour, request, sink, clock, entry, sent.push(entry) - 1);
    },
    close: async () => {},
  };
  const catalog = createModelCatalog({
    providers: new Map([['p', provider]]),
    models: new Map([['m', definition]]),
    clock,
    random: createSeededRandom(seed),
  });
  const generation = new ModelGeneration({
    catalog,
    pricing: { costNanoUsd: () => 1, boundsOf: () => undefined, priceId: () => undefined },
    clock,
    longestCallMs: 600_000,
    onUnused: () => {},
  });
  const pipeline = createPipeline({ models: new ServedModels(generation), limits: undefined, ledger, clock });

  async function callOnce(offered: OfferedCall, index: number): Promise<void> {
    const id = `call-${index}`;
    const plan = { call: offered, index, asked: 0, begun: false };
    plans.set(id, plan);
    const cancellation = new CountedCancellation();
    cancellations.push(cancellation);
    const got: number[] = [];
    const call: ModelCall = {
      id,
      context: {
        requestId: id,
        principal: {
          organizationId: 'o',
          organizationTier: 'unlimited',
          keyId: 'k',
          userId: undefined,
          scopes: new Set(),
          allowedModels: undefined,
        },
        cancellation,
        startedAt: clock.now(),
        startedMonotonic: clock.monotonic(),
      },
      operation: 'chat',
      dialect: 'openai',
      model: 'm',
      stream: true,
      body,
      headers: {},
      endUser: undefined,
      feature: undefined,
      sink: {
        get begun() {
          return plan.begun;
        },
        head: () => void (plan.begun = true),
        data(bytes) {
          got.push(Number(bytes.toString()));
          return true;
        },
        drained() {},
        abandon() {},
      },
      record: emptyRecord(),
    };
    const leaves =
      offered.abortAfterMs === undefined
        ? undefined
        : clock.setTimeout(() => cancellation.cancel(new HoldfastError('client_closed')), offered.abortAfterMs);
    try {
      const result = await pipeline(call);
      got.push(Number(result.tail.toString()));
      outcomes[index] = got;
    } catch (error) {
      outcomes[index] = (error as HoldfastError).code;
    } finally {
      leaves?.cancel();
      plans.delete(id);
    }
  }

  return {
    clock,
    catalog,
    ledger,
    sent,
    outcomes,
    get listeners() {
      return cancellations.reduce((sum, { listening }) => sum + listening, 0);
    },
    async offer(calls) {
      const under: Promise<void>[] = [];
      for (const call of calls) {
        await clock.advanceAsync(call.gapMs);
        under.push(callOnce(call, outcomes.push('internal_error') - 1));
      }
      let over = false;
      const all = Promise.all(under).finally(() => (over = true));
      while (!over) await clock.advanceAsync(clock.nextTimerInMs ?? 0);
      await all;
    },
  };
}

function play(
  { connectedAfterMs, firstAfterMs, endsAfterMs, failure }: Behaviour,
  request: AttemptRequest,
  sink: AttemptSink,
  clock: FakeClock,
  entry: SentRequest,
  index: number,
): Promise<AttemptResult> {
  return new Promise((resolve, reject) => {
    let timer = clock.setTimeout(connect, connectedAfterMs);
    const stop = request.cancellation.onCancel((reason) => {
      timer.cancel();
      entry.endedAtMs = clock.monotonic();
      entry.endedTurn = turn++;
      reject(reason);
    });
    function connect(): void {
      sink.connected();
      timer = clock.setTimeout(firstAfterMs === undefined ? end : first, firstAfterMs ?? endsAfterMs);
    }
    function first(): void {
      sink.head({ headers: {} });
      sink.data(Buffer.from(String(index)));
      timer = clock.setTimeout(end, endsAfterMs);
    }
    function end(): void {
      stop();
      entry.endedAtMs = clock.monotonic();
      entry.endedTurn = turn++;
      if (failure) {
        const { code, retryAfterSeconds } = failure;
        entry.retryAfterMs = retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1_000;
        return reject(new AttemptError(code, retryAfterSeconds === undefined ? {} : { retryAfterSeconds }));
      }
      resolve({
        head: { headers: {} },
        tail: Buffer.from(String(index)),
        usage: undefined,
        finishReason: 'stop',
        servedModel: undefined,
        outputBytes: 1,
      });
    }
  });
}
