import type { Duplex } from 'node:stream';
import type pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';
import { MessageReader } from './message-reader.ts';
import { execution, type ArrayParameter, type WireStatement } from './messages.ts';
import { readServerError } from './server-error.ts';

/** Types of the messages that a server sends. */
const type = {
  parseComplete: 0x31, // 1
  bindComplete: 0x32, // 2
  commandComplete: 0x43, // C
  dataRow: 0x44, // D
  error: 0x45, // E
  emptyQuery: 0x49, // I
  notice: 0x4e, // N
  notification: 0x41, // A
  parameterStatus: 0x53, // S
  ready: 0x5a, // Z
} as const;

/** Of ReadyForQuery: no transaction is open. */
const idle = 0x49;

/** What says that the server does not know our prepared statement, or knows another one by its name. */
const unknownStatement = '26000';
const duplicateStatement = '42P05';

interface Execution {
  readonly statement: WireStatement;
  readonly parameters: readonly ArrayParameter[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
  /** Whether it was sent as a statement without a name. */
  unnamed: boolean;
  error: Error | undefined;
}

/**
 * A connection that pg has made (TLS, login, role), and on which from then on we alone speak: one statement at a time, prepared once, sent as one
 * write and answered by four short messages. pg takes several objects, copies and writes for each statement, and reads every
 * answer into a result; for the ledger, which executes the same few statements thousands of times a second, that is most of what they cost.
 *
 * Each execution is a transaction of its own: what resolves is committed. When the connection is lost under way, whether it was is unknown.
 */
export class WireConnection {
  readonly #client: pg.PoolClient;
  readonly #stream: Duplex;
  readonly #reader = new MessageReader((kind, bytes, start, end) => this.#message(kind, bytes, start, end));
  readonly #prepared = new Set<string>();
  /** A pooler in between that gives each transaction another server connection: prepared statements do not last. */
  #pooled = false;
  #underWay: Execution | undefined;
  #lost: Error | undefined;
  readonly #onLost: () => void;

  /** `onLost` is called once, when the connection can be used no more; not by `close`. The client MUST be idle, and belongs to this from here on. */
  constructor(client: pg.PoolClient, onLost: () => void) {
    this.#client = client;
    this.#onLost = onLost;
    this.#stream = (client as unknown as { readonly connection: pg.Connection }).connection.stream;
    // What pg's own parser would make of our answers is an error: it has asked nothing. Its other listeners stay: they end the client with its socket.
    this.#stream.removeAllListeners('data');
    this.#stream.on('data', this.#onData);
    client.on('error', (error) => this.#lose(error));
    client.on('end', () => this.#lose(new Error('Connection terminated unexpectedly')));
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /** Rejects with pg's `DatabaseError` when the server refuses, and the connection goes on; with any other error it is lost. */
  execute(statement: WireStatement, parameters: readonly ArrayParameter[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost);
      if (this.#underWay !== undefined)
        return reject(new HoldfastError('internal_error', { detail: 'two statements at once on one connection' }));
      this.#send((this.#underWay = { statement, parameters, resolve, reject, unnamed: false, error: undefined }));
    });
  }

  /** Ends the connection. A statement under way rejects; whether it is committed is unknown. */
  close(): void {
    if (this.#lost === undefined) this.#stop(new Error('Connection terminated'));
  }

  #send(underWay: Execution): void {
    const { statement, parameters } = underWay;
    underWay.unnamed = this.#pooled;
    underWay.error = undefined;
    const name = this.#pooled ? '' : statement.name;
    const parse = this.#pooled || !this.#prepared.has(name);
    this.#stream.write(execution(statement, parameters, { name, parse }));
  }

  readonly #onData = (chunk: Buffer): void => {
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#lose(unreadable(String(error)));
    }
  };

  #message(kind: number, bytes: Buffer, start: number, end: number): void {
    switch (kind) {
      case type.bindComplete:
      case type.commandComplete:
      case type.dataRow:
      case type.emptyQuery:
      case type.notice:
      case type.notification:
      case type.parameterStatus:
        return;
      case type.parseComplete:
        if (this.#underWay && !this.#underWay.unnamed) this.#prepared.add(this.#underWay.statement.name);
        return;
      case type.error: {
        const error = readServerError(bytes, start, end);
        // Without a statement it is the last word before the server closes: a shutdown, a timeout of the session.
        if (this.#underWay) this.#underWay.error ??= error;
        else this.#lose(error);
        return;
      }
      case type.ready:
        return this.#ready(bytes[start]!);
      default:
        this.#lose(unreadable(`a message of type ${kind}`));
    }
  }

  #ready(status: number): void {
    const underWay = this.#underWay;
    if (!underWay || status !== idle) return this.#lose(unreadable('ready out of turn'));
    const { error } = underWay;
    if (error && !this.#pooled && isForgotten(error)) {
      // Nothing has happened: the statement was refused before it ran. Without a name it needs nothing of what a connection keeps.
      this.#pooled = true;
      this.#send(underWay);
      return;
    }
    this.#underWay = undefined;
    if (error) underWay.reject(error);
    else underWay.resolve();
  }

  #lose(error: Error): void {
    if (this.#lost !== undefined) return;
    this.#stop(error);
    this.#onLost();
  }

  #stop(error: Error): void {
    this.#lost = error;
    const underWay = this.#underWay;
    this.#underWay = undefined;
    this.#stream.off('data', this.#onData);
    // pg takes leave of a server that is there. One that owes an answer may never take what is sent: its socket is closed.
    this.#client.release(true);
    if (underWay !== undefined) this.#stream.destroy();
    underWay?.reject(underWay.error ?? error);
  }
}

function isForgotten(error: Error): boolean {
  const { code } = error as pg.DatabaseError;
  return code === unknownStatement || code === duplicateStatement;
}

function unreadable(detail: string): HoldfastError {
  return new HoldfastError('database_unavailable', { detail: `the database answered what cannot be read: ${detail}` });
}
