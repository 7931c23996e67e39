/**
 * What a call is to bring about, written into the one text that travels with it from the client over the server to the
 * upstream, and into the ledger (`user`, `metadata.user_id`). At most 64 characters: OpenAI takes no more.
 */
export interface PlannedAnswer {
  readonly promptTokens: number;
  /** Words of the answer; each is one token. */
  readonly chunks: number;
  /** Milliseconds between two events of a stream. */
  readonly spacingMs: number;
  /** Milliseconds until the upstream says anything. */
  readonly delayMs: number;
  /** The upstream answers with this status. */
  readonly errorStatus?: number;
  /** The upstream's stream breaks off after so many events. */
  readonly cutAfter?: number;
}

export interface Marker {
  readonly run: string;
  readonly round: number;
  readonly number: number;
  readonly answer: PlannedAnswer;
}

const form = /^(\w+)\.(\d+)\.(\d+)\.p(\d+)k(\d+)s(\d+)d(\d+)(?:e(\d+))?(?:c(\d+))?$/;

export function writeMarker({ run, round, number, answer }: Marker): string {
  const { promptTokens, chunks, spacingMs, delayMs, errorStatus, cutAfter } = answer;
  const fault = (errorStatus === undefined ? '' : `e${errorStatus}`) + (cutAfter === undefined ? '' : `c${cutAfter}`);
  return `${run}.${round}.${number}.p${promptTokens}k${chunks}s${spacingMs}d${delayMs}${fault}`;
}

/** Undefined for what is no marker. */
export function readMarker(text: string): Marker | undefined {
  const found = form.exec(text);
  if (!found) return undefined;
  const [, run, ...numbers] = found;
  const [round, number, promptTokens, chunks, spacingMs, delayMs, errorStatus, cutAfter] = numbers.map((each) =>
    each === undefined ? undefined : Number(each),
  );
  return {
    run: run!,
    round: round!,
    number: number!,
    answer: {
      promptTokens: promptTokens!,
      chunks: chunks!,
      spacingMs: spacingMs!,
      delayMs: delayMs!,
      ...(errorStatus !== undefined && { errorStatus }),
      ...(cutAfter !== undefined && { cutAfter }),
    },
  };
}
