/** What the processes of a crash test say to each other, and the models they all know. */
export const chatModels = { openai: 'gpt-4o-mini', anthropic: 'claude-sonnet-4-5' } as const;

/** The names that clients ask for. */
export const askedModels = { fast: chatModels.openai, smart: chatModels.anthropic } as const;

export type AskedModel = keyof typeof askedModels;

/** Moments in the life of a call that a round can wait for. */
export type LoadEvent = 'sent' | 'first byte' | 'whole';

export type ToLoad =
  | {
      readonly kind: 'begin';
      readonly round: number;
      readonly url: string;
      /** The operator's, and those under budgets; every fourth call is made with each of the others. */
      readonly keys: readonly [string, string, string];
      readonly workers: number;
      /** Told once, when this has happened so many times. */
      readonly tellAfter: { readonly event: LoadEvent; readonly count: number };
      /** Who is to be killed in that very moment: nothing is nearer to it than who reads the answer. */
      readonly killPids: readonly number[];
    }
  /** Asks to be told once more. */
  | { readonly kind: 'watch'; readonly event: LoadEvent; readonly count: number }
  /** The moment has passed: neither told nor killed any more. */
  | { readonly kind: 'disarm' }
  /** What runs comes to its end, nothing new begins. */
  | { readonly kind: 'finish' };

export type FromLoad =
  | { readonly kind: 'reached'; readonly atMs: number }
  /** Every worker has stopped: told to, or because the server is gone. */
  | { readonly kind: 'idle'; readonly refusedConnections: number };

export type FromUpstream = { readonly kind: 'listening'; readonly url: string } | { readonly kind: 'settled' };
