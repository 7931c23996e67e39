/** What the checker gets to see, and nothing else: what clients received, what the upstream served, what is stored. */
export interface Evidence {
  readonly clients: readonly ClientLine[];
  readonly arrivals: readonly UpstreamArrival[];
  readonly served: readonly UpstreamEnd[];
  readonly rows: readonly StoredCall[];
  readonly intents: readonly StoredIntent[];
  /** The first thing that was killed in each round. */
  readonly crashes: readonly Crash[];
}

/** One line of the client's log, written when the call was over for it. */
export interface ClientLine {
  readonly marker: string;
  readonly round: number;
  readonly dialect: 'openai' | 'anthropic';
  readonly stream: boolean;
  /** The model that was asked for. */
  readonly model: string;
  /** Null when no status line came. */
  readonly status: number | null;
  /** The client took it for a finished answer: the whole body, or the event of a stream that says that it is finished. */
  readonly whole: boolean;
  /** Bytes of the body. */
  readonly bytes: number;
  /** Words of the answer, which are its tokens. */
  readonly words: number;
  /** The words are those of the upstream, in their order, without a gap. */
  readonly inOrder: boolean;
  /** What the answer said was used; null when it did not. */
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  /** The stream said that it failed. */
  readonly errorEvent: boolean;
  /** `ended`: in HTTP's good order; `broken`: the connection broke; `left`: the client went away; `hung`: nothing came for too long. */
  readonly end: 'ended' | 'broken' | 'left' | 'hung';
  readonly sentAtMs: number;
  readonly endedAtMs: number;
}

/** The upstream has read a request. */
export interface UpstreamArrival {
  readonly marker: string;
  readonly atMs: number;
  readonly model: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** The upstream is done with an answer, whichever way. */
export interface UpstreamEnd {
  readonly marker: string;
  readonly status: number;
  /** All of it was handed to the system. */
  readonly whole: boolean;
}

export interface StoredCall {
  readonly id: string;
  readonly marker: string | null;
  readonly outcome: string;
  readonly dialect: string | null;
  readonly streamed: boolean | null;
  readonly modelAsked: string | null;
  readonly modelServed: string | null;
  readonly promptTokens: number | null;
  readonly completionTokens: number | null;
  readonly usageSource: string;
  /** Null when the price is unknown. */
  readonly costNanoUsd: number | null;
}

export interface StoredIntent {
  readonly id: string;
  readonly marker: string | null;
}

/** The audit log as it is stored, with all that is needed to verify it and nothing of the server's word for it. */
export interface StoredLog {
  /** In the order of the log. */
  readonly leaves: readonly (StoredLogEvent & { readonly index: number })[];
  /** What has no place yet. */
  readonly waiting: readonly StoredLogEvent[];
  /** `root` in hexadecimal. */
  readonly head: { readonly size: number; readonly root: string };
  readonly checkpoints: readonly { readonly size: number; readonly note: string }[];
  readonly verifierKeys: readonly string[];
  /** What was in the inbox and is no event. */
  readonly rejected: number;
  /** Every row of the ledger. */
  readonly rows: readonly Pick<StoredCall, 'id' | 'outcome' | 'promptTokens' | 'completionTokens' | 'costNanoUsd'>[];
}

export interface StoredLogEvent {
  readonly id: string;
  /** The bytes that are hashed; of one that waits, without its number. */
  readonly body: string;
}

/** What is stored of a budget when nothing runs. */
export interface StoredBudget {
  readonly name: string;
  readonly limitNano: number;
  /** Spent for good, by the windows of the budget. */
  readonly closedNano: number;
  /** What instances still hold. */
  readonly grantedNano: number;
  readonly openSlices: number;
  /** What the calls of its key cost, by the ledger. */
  readonly ledgerNano: number;
}

export interface Crash {
  readonly round: number;
  readonly atMs: number;
  /** In place of the one of the options: for a while neither database nor disk took an intent, and each is tried again after a second. */
  readonly overtakenAfterMs?: number;
}
