import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock, Timer } from '@holdfast/kit/time';
import { connectionLost, listenerStateChanged } from './announcements.ts';
import { connectionConfig, type ConnectionTimeouts, type DatabaseTarget } from './target.ts';

/**
 * LISTEN on one connection of its own, made with the first subscription, and made again by itself when it is lost.
 * What is notified while `connected` is false is lost: a subscriber MUST poll meanwhile, and once more when it turns true.
 */
export interface Notifications {
  /** Returns the function that ends the subscription. Names are lower case letters, digits and `_`. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
  /** Whether every notification of every subscribed channel arrives from here on. */
  readonly connected: boolean;
  /** Called at each change of `connected`. Returns the function that ends the subscription. */
  onStateChange(listener: (connected: boolean) => void): () => void;
}

export interface NotificationListener extends Notifications {
  close(): Promise<void>;
}

/** A connection whose other end vanished looks like one on which nothing happens; revoked keys must not wait for TCP to notice. */
const heartbeatMs = 1_000;
const heartbeatTimeoutMs = 2_000;
const firstRetryMs = 100;
const maxRetryMs = 2_000;

export function createNotifications(target: DatabaseTarget, clock: Clock, timeouts: ConnectionTimeouts): NotificationListener {
  const subscriptions = new Map<string, Set<(payload: string) => void>>();
  const stateListeners = new Set<(connected: boolean) => void>();
  let client: pg.Client | undefined;
  let connected = false;
  let closed = false;
  let retryMs = firstRetryMs;
  let retryTimer: Timer | undefined;
  let wake = () => {};

  function setConnected(next: boolean, lost = false): void {
    if (connected === next) return;
    connected = next;
    listenerStateChanged.publish({ connected, lost });
    for (const listener of [...stateListeners]) listener(connected);
  }

  function open(): void {
    // As `app`, which without an organization sees nothing; LISTEN itself needs no privilege.
    const config = connectionConfig(target, { role: 'app', timeouts });
    const next = new pg.Client({ ...config, application_name: 'holdfast listen', query_timeout: heartbeatTimeoutMs });
    client = next;
    next.on('error', (error) => lose(next, error));
    next.on('end', () => lose(next, new Error('Connection terminated')));
    next.on('notification', ({ channel, payload }) => {
      for (const listener of [...(subscriptions.get(channel) ?? [])]) listener(payload ?? '');
    });
    run(next).catch((error: unknown) => lose(next, error));
  }

  async function run(on: pg.Client): Promise<void> {
    await on.connect();
    const listening = new Set<string>();
    while (client === on) {
      const missing = [...subscriptions.keys()].find((channel) => !listening.has(channel));
      if (missing !== undefined) {
        await on.query(`listen ${pg.escapeIdentifier(missing)}`);
        listening.add(missing);
        continue;
      }
      const left = [...listening].find((channel) => !subscriptions.has(channel));
      if (left !== undefined) {
        listening.delete(left);
        await on.query(`unlisten ${pg.escapeIdentifier(left)}`);
        continue;
      }
      retryMs = firstRetryMs;
      setConnected(true);
      if (await heartbeatIsDue()) await on.query('select 1');
    }
  }

  /** False when it was woken before: the subscriptions have changed, or the connection is gone. */
  function heartbeatIsDue(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = clock.setTimeout(() => resolve(true), heartbeatMs);
      wake = () => {
        timer.cancel();
        resolve(false);
      };
    });
  }

  function lose(lost: pg.Client, error: unknown): void {
    if (client !== lost) return;
    client = undefined;
    wake();
    lost.removeAllListeners('notification');
    // Cuts the socket when a statement is under way, so that a silent connection does not linger.
    void lost.end().catch(() => {});
    if (closed) return;
    setConnected(false, true);
    connectionLost.publish({ role: undefined, error });
    retryTimer = clock.setTimeout(() => {
      retryTimer = undefined;
      open();
    }, retryMs);
    retryMs = Math.min(retryMs * 2, maxRetryMs);
  }

  return {
    get connected() {
      return connected;
    },
    subscribe(channel, listener) {
      if (closed) throw new HoldfastError('internal_error', { detail: 'subscribed to notifications after they were closed' });
      const listeners = subscriptions.get(channel) ?? new Set();
      // An entry of its own, so that one function may be subscribed twice.
      const entry = (payload: string) => listener(payload);
      listeners.add(entry);
      if (!subscriptions.has(channel)) {
        subscriptions.set(channel, listeners);
        setConnected(false);
        if (!client && !retryTimer) open();
        wake();
      }
      return () => {
        listeners.delete(entry);
        if (listeners.size > 0 || subscriptions.get(channel) !== listeners) return;
        subscriptions.delete(channel);
        wake();
      };
    },
    onStateChange(listener) {
      const entry = (state: boolean) => listener(state);
      stateListeners.add(entry);
      return () => void stateListeners.delete(entry);
    },
    async close() {
      if (closed) return;
      closed = true;
      retryTimer?.cancel();
      const last = client;
      client = undefined;
      wake();
      // Not announced: nobody is to act on the end that was asked for.
      connected = false;
      await last?.end().catch(() => {});
    },
  };
}
