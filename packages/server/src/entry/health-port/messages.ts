import type { HealthSnapshot } from '@holdfast/kit/health';
import type { Beat } from './beat.ts';

/** What the thread is started with. */
export interface ThreadData {
  readonly host: string;
  readonly port: number;
  readonly stuckMs: number;
  readonly version: string;
  readonly beat: Beat;
  readonly readiness: HealthSnapshot;
}

/** To the thread: how ready the server is. */
export interface ReadinessMessage {
  readonly readiness: HealthSnapshot;
}

/** From the thread, once. `code` is the system's word for what failed. */
export type ThreadMessage =
  | { readonly kind: 'listening'; readonly host: string; readonly port: number }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string };
