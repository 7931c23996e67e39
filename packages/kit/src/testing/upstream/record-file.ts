import { closeSync, openSync, writeSync } from 'node:fs';
import type { UpstreamCall } from './call-log.ts';

/** One line of the record. `whole` is false where the client had gone or a fault had cut the answer. */
export interface RecordedAnswer {
  readonly marker: string | null;
  readonly path: string;
  readonly model: string | null;
  readonly status: number;
  readonly events: number;
  readonly bytes: number;
  readonly whole: boolean;
  readonly at_ms: number;
}

/**
 * Appends a JSON line for each call that got an answer, in one write of its own and without fsync: it survives the death
 * of this process, not of the machine.
 */
export function openRecordFile(path: string): { append(call: UpstreamCall): void; close(): void } {
  const file = openSync(path, 'a', 0o644);
  let open = true;
  return {
    append(call) {
      if (!open || call.status === undefined) return;
      const line: RecordedAnswer = {
        marker: call.marker ?? null,
        path: call.path,
        model: call.model ?? null,
        status: call.status,
        events: call.eventsSent,
        bytes: call.bytesSent,
        whole: call.outcome === 'whole',
        at_ms: call.endedAtMs ?? call.receivedAtMs,
      };
      writeSync(file, `${JSON.stringify(line)}\n`);
    },
    close() {
      if (open) closeSync(file);
      open = false;
    },
  };
}
