import { request, type Agent } from 'node:http';
import type { ClientLine } from './evidence.ts';
import { judgePlain, judgeStream, type AnswerJudge } from './judge-answer.ts';
import type { AskedModel, LoadEvent } from './messages.ts';

export interface CallToSend {
  readonly marker: string;
  readonly round: number;
  readonly dialect: 'openai' | 'anthropic';
  readonly stream: boolean;
  readonly model: AskedModel;
  /** Asks for the event that tells what was used (OpenAI's streams). */
  readonly asksUsage: boolean;
  /** The client goes away when it has so many bytes. */
  readonly leavesAfterBytes: number | undefined;
}

export interface SendOptions {
  readonly url: string;
  readonly key: string;
  readonly agent: Agent;
  readonly onEvent: (event: LoadEvent) => void;
}

/** Far above what any call of the plan takes: silence of this length is a reader that is stuck. */
const hungAfterMs = 30_000;

const paths = { openai: '/v1/chat/completions', anthropic: '/v1/messages' } as const;

/**
 * Sends one call and reads its answer as bytes, without an SDK that might be kinder than the rest. Resolves with the line for
 * the log; undefined when the connection was refused, so that nothing was sent.
 */
export function sendCall(call: CallToSend, { url, key, agent, onEvent }: SendOptions): Promise<ClientLine | undefined> {
  const body = JSON.stringify(bodyOf(call));
  const sentAtMs = Date.now();
  return new Promise((resolve) => {
    let status: number | null = null;
    let judge: AnswerJudge | undefined;
    let end: ClientLine['end'] = 'broken';
    let refused = false;
    const sent = request(url + paths[call.dialect], {
      method: 'POST',
      agent,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const silence = setTimeout(() => {
      end = 'hung';
      sent.destroy();
    }, hungAfterMs);
    sent.on('response', (response) => {
      status = response.statusCode ?? 0;
      const length = Number(response.headers['content-length'] ?? Number.POSITIVE_INFINITY);
      if (status === 200)
        judge = String(response.headers['content-type']).includes('event-stream')
          ? judgeStream(call.dialect)
          : judgePlain(call.dialect, length);
      response.on('data', (bytes: Buffer) => {
        silence.refresh();
        if (!judge) return;
        const { judgement } = judge;
        if (judgement.bytes === 0 && call.stream) onEvent('first byte');
        const wasWhole = judgement.whole;
        judge.push(bytes);
        if (judgement.whole && !wasWhole) onEvent('whole');
        if (judgement.bytes >= (call.leavesAfterBytes ?? Number.POSITIVE_INFINITY)) {
          end = 'left';
          sent.destroy();
        }
      });
      response.on('end', () => {
        if (response.complete && end === 'broken') end = 'ended';
      });
      // Told by 'close' below: a connection that breaks in the middle of a body is what these tests are about.
      response.on('error', () => {});
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code === 'ECONNREFUSED';
    });
    sent.on('close', () => {
      clearTimeout(silence);
      if (refused) return resolve(undefined);
      const {
        whole = false,
        bytes = 0,
        words = 0,
        inOrder = true,
        promptTokens = null,
        completionTokens = null,
        errorEvent = false,
      } = judge?.judgement ?? {};
      const { marker, round, dialect, stream, model } = call;
      const read = { whole, bytes, words, inOrder, promptTokens, completionTokens, errorEvent };
      resolve({ marker, round, dialect, stream, model, status, ...read, end, sentAtMs, endedAtMs: Date.now() });
    });
    sent.end(body);
    onEvent('sent');
  });
}

function bodyOf({ marker, dialect, stream, model, asksUsage }: CallToSend): object {
  const common = { model, stream, messages: [{ role: 'user', content: 'Count the words.' }] };
  if (dialect === 'anthropic') return { ...common, max_tokens: 1_000, metadata: { user_id: marker } };
  return { ...common, user: marker, ...(stream && asksUsage && { stream_options: { include_usage: true } }) };
}
