import type { Clock } from '../../time/index.ts';
import { eventLoopTurn } from '../event-loop-turn.ts';
import type { AnswerWriter } from './answer-writer.ts';
import type { UpstreamBehaviour } from './behaviour.ts';
import { errorEvent } from './error-answer.ts';
import type { UpstreamDialect } from './script-request.ts';

const openaiPing = ': ping\n\n';
const anthropicPing = 'event: ping\ndata: {"type":"ping"}\n\n';

/** Writes the events of a stream with the pace, the framing and the faults of a behaviour. */
export async function writeEvents(
  writer: AnswerWriter,
  events: readonly Buffer[],
  behaviour: UpstreamBehaviour,
  dialect: UpstreamDialect,
  clock: Clock,
): Promise<void> {
  const { spacingMs = 0, cutAfter, silentAfter, malformedAfter, errorAfter } = behaviour;
  let betweenEvents = true;
  const put = async (bytes: Buffer, eventsIn: number) => {
    betweenEvents = false;
    if (behaviour.split === 'bytes') {
      for (let at = 0; at < bytes.length && !writer.closed; at++) {
        await writer.write(bytes.subarray(at, at + 1), at === bytes.length - 1 ? eventsIn : 0);
        // Node joins what is written within one turn into one HTTP chunk.
        await eventLoopTurn();
      }
    } else {
      const blocked = writer.write(bytes, eventsIn);
      if (blocked) await blocked;
    }
    betweenEvents = true;
  };
  const ping = framed(dialect === 'openai' ? openaiPing : anthropicPing, behaviour);
  const stopPings = pingsEvery(clock, behaviour.pingEveryMs, () => {
    if (betweenEvents && !writer.closed) void put(ping, 0);
    return !writer.closed;
  });

  writer.flushHead();
  for (let sent = 0; sent < (behaviour.pings ?? 0); sent++) await put(ping, 0);
  if (behaviour.firstTokenDelayMs) await writer.pause(behaviour.firstTokenDelayMs);
  const startedMs = clock.monotonic();
  for (let at = 0; at <= events.length; at++) {
    if (writer.closed) break;
    if (spacingMs > 0 && at > 0 && at < events.length) {
      const waitMs = startedMs + at * spacingMs - clock.monotonic();
      if (waitMs > 0) await writer.pause(waitMs);
    }
    if (silentAfter === at) return; // and the pings, if any, go on
    if (cutAfter === at) {
      stopPings();
      return writer.cut(behaviour.cutBy ?? 'close');
    }
    if (errorAfter === at) {
      await put(framed(errorEvent(dialect, behaviour), behaviour), 1);
      stopPings();
      return writer.cut('end');
    }
    if (malformedAfter === at) await put(framed('data: {"id":"chatcmpl-scripted","choices":[{"ind\n\n', behaviour), 1);
    const event = events[at];
    if (event) {
      const written = behaviour.split === 'bytes' ? put(event, 1) : writer.write(event, 1);
      if (written) await written;
    }
  }
  stopPings();
  writer.end();
}

export function framed(event: string, behaviour: UpstreamBehaviour): Buffer {
  return Buffer.from(behaviour.newline === 'crlf' ? event.replaceAll('\n', '\r\n') : event);
}

function pingsEvery(clock: Clock, everyMs: number | undefined, ping: () => boolean): () => void {
  if (everyMs === undefined) return () => {};
  const timer = clock.setTimeout(() => {
    if (ping()) timer.refresh();
  }, everyMs);
  return () => timer.cancel();
}
