import { readShallowBody } from '@holdfast/kit/llm';
import { Cancellation } from '@holdfast/kit/time';
import { emptyRecord, type CallContext, type CallSink, type ModelCall, type Principal } from '../../src/model/index.ts';

export interface ModelCallParts extends Partial<Omit<ModelCall, 'body' | 'context' | 'record'>> {
  readonly body?: object;
  readonly context?: Partial<Omit<CallContext, 'principal'>>;
  readonly principal?: Partial<Principal>;
  readonly record?: Partial<ModelCall['record']>;
}

/** A call for the parts of the call path by themselves: a stream in OpenAI's dialect, but for what is given. */
export function createModelCall({ body = {}, context, principal, record, ...rest }: ModelCallParts = {}): ModelCall {
  return {
    id: 'id',
    context: {
      requestId: 'r',
      principal: {
        organizationId: 'o',
        organizationTier: 'unlimited',
        keyId: 'k',
        userId: undefined,
        scopes: new Set(),
        allowedModels: undefined,
        ...principal,
      },
      cancellation: new Cancellation(),
      startedAt: 0,
      startedMonotonic: 0,
      ...context,
    },
    operation: 'chat',
    dialect: 'openai',
    model: 'm',
    stream: true,
    body: readShallowBody(Buffer.from(JSON.stringify(body))),
    headers: {},
    endUser: undefined,
    feature: undefined,
    sink: { begun: false, head() {}, data: () => true, drained() {}, abandon() {} },
    record: { ...emptyRecord(), ...record },
    ...rest,
  };
}

/** A client that takes everything at once, and what it has. */
export function createClient(): { readonly sink: CallSink; readonly text: () => string } {
  let begun = false;
  let text = '';
  const sink: CallSink = {
    get begun() {
      return begun;
    },
    head: () => void (begun = true),
    data(bytes) {
      text += bytes.toString();
      return true;
    },
    drained() {},
    abandon() {},
  };
  return { sink, text: () => text };
}
