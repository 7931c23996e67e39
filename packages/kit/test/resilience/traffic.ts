import { isHoldfastError } from '@holdfast/kit/errors';
import type { CallContext, ComposedPolicy } from '@holdfast/kit/resilience';
import type { FakeClock } from '@holdfast/kit/testing';
import { Cancellation } from '@holdfast/kit/time';

/** What a target does with one request. */
export interface Behaviour {
  readonly afterMs: number;
  /** What it fails with; undefined for an answer. */
  readonly failure?: (() => Error) | undefined;
  /** Never settles, and does not listen to its signal either. */
  readonly deaf?: boolean;
  /** Fails before it has returned a promise. */
  readonly atOnce?: boolean;
  /** The first part of the answer is out half way. */
  readonly streams?: boolean;
}

export interface OfferedCall {
  /** After the call before. */
  readonly gapMs: number;
  /** Of its attempts in turn; the last one repeats. */
  readonly behaviours: readonly Behaviour[];
  readonly abortAfterMs?: number | undefined;
}

export interface SentRequest {
  readonly call: number;
  readonly at: number;
  /** How many requests had been sent when it failed: within a millisecond the clock does not tell what came first. */
  sentBeforeFailure?: number;
  /** When and with what it failed by itself. */
  failedAt?: number;
  failure?: Error;
  /** A part of the answer was out when it began. */
  readonly afterCommit: boolean;
}

export interface Traffic {
  readonly sent: SentRequest[];
  readonly outcomes: { readonly call: number; readonly tookMs: number; readonly error?: unknown }[];
  readonly signals: AbortSignal[];
  readonly cancellations: CountingCancellation[];
}

/** Knows who still listens. */
class CountingCancellation extends Cancellation {
  listeners = 0;

  override onCancel(listener: (reason: unknown) => void): () => void {
    const end = super.onCancel(listener);
    let listens = true;
    this.listeners += 1;
    return () => {
      if (listens) this.listeners -= 1;
      listens = false;
      end();
    };
  }
}

/** Offers calls to a policy as time goes by, until all of them are settled. */
export async function offer(policy: ComposedPolicy, clock: FakeClock, calls: readonly OfferedCall[]): Promise<Traffic> {
  const traffic: Traffic = { sent: [], outcomes: [], signals: [], cancellations: [] };
  for (const [call, offered] of calls.entries()) {
    if (offered.gapMs > 0) await clock.advanceAsync(offered.gapMs);
    begin(policy, clock, call, offered, traffic);
  }
  for (let turns = 0; traffic.outcomes.length < calls.length; turns++) {
    if (turns > 100_000) throw new Error(`${calls.length - traffic.outcomes.length} calls never end`);
    await clock.advanceAsync(clock.nextTimerInMs ?? 0);
  }
  await clock.advanceAsync(0);
  return traffic;
}

function begin(policy: ComposedPolicy, clock: FakeClock, call: number, { behaviours, abortAfterMs }: OfferedCall, traffic: Traffic): void {
  const controller = new AbortController();
  const beganAt = clock.monotonic();
  let requests = 0;
  let committed = false;
  const work = (context: CallContext) => {
    const behaviour = behaviours[Math.min(requests++, behaviours.length - 1)]!;
    const request: SentRequest = { call, at: clock.monotonic(), afterCommit: committed };
    traffic.sent.push(request);
    if (behaviour.streams) committed = true;
    return behave(clock, behaviour, context, request, traffic);
  };
  const aborting =
    abortAfterMs === undefined ? undefined : clock.setTimeout(() => controller.abort(new Error('the caller has gone')), abortAfterMs);
  if (aborting) traffic.signals.push(controller.signal);
  const ended = (error?: unknown) => {
    aborting?.cancel();
    traffic.outcomes.push({ call, tookMs: clock.monotonic() - beganAt, error });
  };
  const cancellation = new CountingCancellation();
  if (!aborting) traffic.cancellations.push(cancellation);
  policy.execute(work, aborting ? { signal: controller.signal } : { cancellation }).then(() => ended(), ended);
}

function behave(clock: FakeClock, behaviour: Behaviour, context: CallContext, request: SentRequest, traffic: Traffic): Promise<string> {
  const { afterMs, failure, deaf, atOnce, streams } = behaviour;
  const fail = () => {
    request.failedAt = clock.monotonic();
    request.sentBeforeFailure = traffic.sent.length;
    request.failure = failure!();
    return request.failure;
  };
  if (streams) context.commit();
  if (atOnce && failure) throw fail();
  if (deaf) return new Promise(() => {});
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      unlink();
      if (failure) reject(fail());
      else resolve('ok');
    }, afterMs);
    const unlink = context.cancellation.onCancel((reason) => {
      timer.cancel();
      reject(reason);
    });
  });
}

/** Each pair of requests of one call of which the second came sooner after the failure of the first than that asked for. */
export function violationsOfRetryAfter(sent: readonly SentRequest[]): readonly string[] {
  return sent.flatMap((request) => {
    const asked = isHoldfastError(request.failure) ? request.failure.retryAfterSeconds : undefined;
    if (asked === undefined) return [];
    const next = sent.find((later, at) => at >= request.sentBeforeFailure! && later.call === request.call);
    const earliest = request.failedAt! + asked * 1000;
    return next && next.at < earliest ? [`call ${request.call}: sent at ${next.at}, not before ${earliest} was asked for`] : [];
  });
}
