import type { ExportFault, ExportFinding, ExportReport, VerifyExportOptions } from './export-report.ts';
import {
  encode,
  equal,
  fromBase64,
  openCheckpoint,
  parseVerifierKey,
  TreeHasher,
  VerificationError,
  type OpenedCheckpoint,
  type TreeHead,
} from './verify.ts';

// An export is a file of lines, each a JSON object. From left to right they are the whole tree: an event is a leaf (its line, without
// the newline, is what was hashed), and what is not in the export stands there as the hashes of subtrees. So the root can be computed and
// compared with the one that was signed, and every event is proved at its place, by one pass in little memory.
//
//   {"audit":"export","format":1,"origin":…,"scope":"log"|"organization","organization_id":…,"size":…}     first
//   {"audit":"skip","subtrees":[[level,"base64"],…]}                                                        leaves that are not here
//   {"action":…,"number":7,…}                                                                               an event: any line without "audit"
//   {"audit":"checkpoint","note":"…"}                                                                       signed; the last line is one
//   {"audit":"personal","ref":…,"kind":…,"salt":…,"value":…}                                                what a reference of an event stands for
//
// Events of an organization are numbered from 1 without a gap, and the number is part of the event: so an export of an
// organization that misses one in between is found out, though nobody sees the leaves of the others.

const maxFaults = 100;
const progressEvery = 1_000;

/** Checks an export, line by line. Never throws for what is in it: all of that is in the report. Rejects when reading the lines does, or with a `VerificationError` for a key that is none. */
export async function verifyExport(lines: AsyncIterable<string> | Iterable<string>, options: VerifyExportOptions): Promise<ExportReport> {
  // A key with a typing error must not read as "nobody signed this".
  for (const key of options.verifierKeys) await parseVerifierKey(key);
  const check = new ExportCheck(options);
  for await (const line of lines) {
    await check.line(line);
    if (check.stopped) break;
    if (check.lines % progressEvery === 0) options.onProgress?.({ lines: check.lines, events: check.events });
  }
  return check.end();
}

interface Series {
  first: number;
  last: number;
  events: number;
}

class ExportCheck {
  lines = 0;
  events = 0;
  /** Nothing that follows could be made sense of. */
  stopped = false;
  readonly #options: VerifyExportOptions;
  readonly #tree: TreeHasher;
  readonly #faults: ExportFault[] = [];
  #faultCount = 0;
  #errors = 0;
  #scope: 'log' | 'organization' | undefined;
  #organizationId: string | null | undefined;
  #origin: string | undefined;
  #size = -1;
  /** By organization; `null` is the instance's own. */
  readonly #series = new Map<string | null, Series>();
  /** That the log has all from its first leaf, so that every series begins at 1. */
  #fromTheStart = true;
  /** Size of the last checkpoint whose root was right. */
  #goodSize = 0;
  #last: OpenedCheckpoint | undefined;
  #kept: TreeHead[];
  readonly #compared: { readonly head: TreeHead; readonly root: Uint8Array }[] = [];
  readonly #keptChecked: number[] = [];
  #latestMs = Number.NEGATIVE_INFINITY;
  #backwards = false;
  /** References of the event before, for the lines that say what they stand for. */
  #references = '';

  constructor(options: VerifyExportOptions) {
    this.#options = options;
    this.#tree = new TreeHasher(options.sha256);
    this.#kept = [...(options.kept ?? [])].sort((a, b) => a.size - b.size);
  }

  async line(text: string): Promise<void> {
    this.lines++;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      value = undefined;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#fault('malformed', `line ${this.lines} is not a JSON object`);
      // What kind of line it was is not known; a place in the tree may be missing from here on.
      this.stopped = this.lines === 1;
      return;
    }
    const object = value as Record<string, unknown>;
    try {
      if (this.lines === 1) this.#header(object);
      else if (!Object.hasOwn(object, 'audit')) await this.#event(text, object);
      else if (object['audit'] === 'skip') await this.#skip(object);
      else if (object['audit'] === 'checkpoint') await this.#checkpoint(object);
      else if (object['audit'] === 'personal') await this.#personal(object);
      else this.#fault('malformed', `line ${this.lines} is of no known kind`);
    } catch (error) {
      if (!(error instanceof VerificationError)) throw error;
      this.#fault(error.finding, error.message);
    }
  }

  #header({ audit, format, origin, scope, organization_id: organizationId, size }: Record<string, unknown>): void {
    const fits =
      audit === 'export' &&
      format === 1 &&
      typeof origin === 'string' &&
      Number.isSafeInteger(size) &&
      (scope === 'log' || (scope === 'organization' && (organizationId === null || typeof organizationId === 'string')));
    if (!fits) {
      this.stopped = true;
      return this.#fault('malformed', 'the first line is not that of an export of format 1');
    }
    this.#origin = this.#options.origin ?? origin;
    if (origin !== this.#origin) this.#fault('origin_unexpected', `this export is of "${origin}", not of "${this.#origin}"`);
    this.#scope = scope;
    this.#size = size as number;
    this.#organizationId = organizationId as string | null | undefined;
    const wanted = this.#options.organizationId;
    if (wanted !== undefined && (scope === 'log' || organizationId !== wanted))
      this.#fault(
        'event_foreign',
        `this export is of ${nameOf(scope === 'log' ? undefined : this.#organizationId)}, not of ${nameOf(wanted)}`,
      );
  }

  async #event(text: string, event: Record<string, unknown>): Promise<void> {
    const index = this.#tree.size;
    await this.#tree.append(encode(text));
    this.events++;
    this.#references = text;
    const organizationId = (event['organization_id'] ?? null) as string | null;
    const number = event['number'] as number;
    const at = typeof event['at'] === 'string' ? Date.parse(event['at']) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < 1 || !(organizationId === null || typeof organizationId === 'string') || Number.isNaN(at))
      this.#fault('event_malformed', `leaf ${index} is no event`, index);
    else if (!isCanonical(text, event)) this.#fault('event_malformed', `leaf ${index} is not in canonical form`, index, number);
    else {
      this.#count(organizationId, number, index);
      this.#time(at, index, number);
    }
    if (this.#kept.length > 0) await this.#compareKept();
  }

  #count(organizationId: string | null, number: number, index: number): void {
    if (this.#scope === 'organization' && organizationId !== this.#organizationId)
      return this.#fault('event_foreign', `leaf ${index} is of ${nameOf(organizationId)}`, index, number);
    const series = this.#series.get(organizationId);
    const of = this.#scope === 'log' ? ` of ${nameOf(organizationId)}` : '';
    if (series === undefined) {
      this.#series.set(organizationId, { first: number, last: number, events: 1 });
      const first = this.#scope === 'organization' ? this.#options.firstNumber : this.#fromTheStart ? 1 : undefined;
      if (first !== undefined && number > first)
        this.#fault('event_dropped', `${span(first, number - 1)}${of} missing at the beginning`, index, first);
      return;
    }
    series.events++;
    if (number <= series.last)
      this.#fault('event_out_of_order', `event ${number}${of} comes after event ${series.last}, at leaf ${index}`, index, number);
    else if (number > series.last + 1)
      this.#fault('event_dropped', `${span(series.last + 1, number - 1)}${of} missing before leaf ${index}`, index, series.last + 1);
    series.last = Math.max(series.last, number);
  }

  #time(at: number, index: number, number: number): void {
    const backwards = at < this.#latestMs - (this.#options.toleratedMs ?? 3_600_000);
    // Said where it begins, and not of every event for as long as the clock stays behind.
    if (backwards && !this.#backwards) {
      const [is, was] = [new Date(at).toISOString(), new Date(this.#latestMs).toISOString()];
      this.#fault(
        'time_backwards',
        `leaf ${index} says ${is}, and one before it ${was}: a clock was set back, or it was kept elsewhere`,
        index,
        number,
      );
    }
    this.#backwards = backwards;
    this.#latestMs = Math.max(this.#latestMs, at);
  }

  async #skip({ subtrees }: Record<string, unknown>): Promise<void> {
    const begin = this.#tree.size;
    if (!Array.isArray(subtrees)) throw new VerificationError('malformed', `line ${this.lines} skips nothing`);
    for (const subtree of subtrees as unknown[]) {
      const [level, hash] = Array.isArray(subtree) ? (subtree as unknown[]) : [];
      if (typeof level !== 'number' || typeof hash !== 'string')
        throw new VerificationError('malformed', `line ${this.lines} skips what is no subtree`);
      await this.#tree.appendSubtree(level, fromBase64(hash));
      if (this.#kept.length > 0) await this.#compareKept();
    }
    if (begin === 0) this.#fromTheStart = false;
    // Of the whole log only the beginning may be gone, by retention.
    else if (this.#scope === 'log') this.#fault('event_dropped', `leaves ${begin} to ${this.#tree.size - 1} are left out`, begin);
  }

  async #checkpoint({ note }: Record<string, unknown>): Promise<void> {
    if (typeof note !== 'string') throw new VerificationError('malformed', `line ${this.lines} has no checkpoint`);
    this.#last = undefined;
    let checkpoint: OpenedCheckpoint;
    try {
      checkpoint = await openCheckpoint(note, this.#options.verifierKeys, this.#origin);
    } catch (error) {
      // One in between may be signed by a key that was replaced since: it is of use only to who has that one too.
      if (error instanceof VerificationError && error.finding === 'unsigned' && this.#tree.size < this.#size) return;
      throw error;
    }
    if (checkpoint.size !== this.#tree.size) {
      const finding = checkpoint.size > this.#tree.size ? 'event_dropped' : 'event_out_of_order';
      return this.#fault(finding, `the log had ${checkpoint.size} leaves at this checkpoint, and here are ${this.#tree.size}`);
    }
    if (!equal(await this.#tree.root(), checkpoint.root)) {
      const where = `leaves ${this.#goodSize} to ${checkpoint.size - 1}`;
      // The root stays wrong from here on: said once.
      if (!this.#faults.some(({ finding }) => finding === 'tree_changed'))
        this.#fault(
          'tree_changed',
          `${where} are not what was logged: something there was changed, dropped, put in or moved`,
          this.#goodSize,
        );
      return;
    }
    this.#goodSize = checkpoint.size;
    this.#last = checkpoint;
  }

  async #personal({ ref, salt, value }: Record<string, unknown>): Promise<void> {
    if (typeof ref !== 'string' || typeof salt !== 'string' || typeof value !== 'string')
      throw new VerificationError('malformed', `line ${this.lines} says of no reference what it stands for`);
    if (!this.#references.includes(`"${ref}"`) || !(await opensReference({ ref, salt, value })))
      this.#fault('personal_mismatch', `line ${this.lines} does not say what the event before it refers to`);
  }

  /** At once when the tree has the size of a kept checkpoint: later its root cannot be known. */
  async #compareKept(): Promise<void> {
    const size = this.#tree.size;
    while (this.#kept[0] !== undefined && this.#kept[0].size < size) {
      const { size: kept } = this.#kept.shift()!;
      if (kept > 0)
        this.#fault('kept_not_covered', `the export does not stop at leaf ${kept}, where your checkpoint is: ask for one with that size`);
    }
    while (this.#kept[0]?.size === size) this.#compared.push({ head: this.#kept.shift()!, root: await this.#tree.root() });
  }

  async end(): Promise<ExportReport> {
    // What stands behind the last checkpoint is proved by nothing.
    const proved = this.#last?.size === this.#tree.size ? this.#last : undefined;
    if (!this.stopped && (this.#tree.size < this.#size || (proved === undefined && this.#errors === 0)))
      this.#fault('cut_off', `the file ends at leaf ${this.#tree.size} of ${this.#size}, or without a checkpoint of all that is in it`);
    await this.#compareKept();
    for (const { head, root } of this.#compared) {
      if (equal(root, head.root)) this.#keptChecked.push(head.size);
      else {
        const [finding, message] =
          head.size === proved?.size
            ? (['forked', `you kept another log of ${head.size} leaves: it was shown in two versions`] as const)
            : ([
                'consistency_invalid',
                `before leaf ${head.size} the log is not the one that you kept a checkpoint of: its past was written again`,
              ] as const);
        this.#fault(finding, message, head.size);
      }
    }
    // Larger than all that is here. A cut file says nothing about the log.
    if (this.#tree.size >= this.#size)
      for (const { size } of this.#kept)
        this.#fault(
          'rolled_back',
          `the log had ${size} leaves and has ${this.#tree.size}: its end was cut off, or an old copy put back`,
          size,
        );
    const only = this.#series.get(this.#organizationId ?? null);
    const { lastNumber } = this.#options;
    if (this.#scope === 'organization' && lastNumber !== undefined && (only?.last ?? 0) < lastNumber)
      this.#fault('event_dropped', `${span((only?.last ?? 0) + 1, lastNumber)} missing at the end`, this.#tree.size, (only?.last ?? 0) + 1);
    return {
      ok: this.#errors === 0,
      scope: this.#scope,
      checkpoint: proved,
      events: this.events,
      series: Array.from(this.#series, ([organizationId, series]) => ({ organizationId, ...series })),
      keptChecked: this.#keptChecked,
      faults: this.#faults,
      faultCount: this.#faultCount,
    };
  }

  #fault(finding: ExportFinding, message: string, index = this.#tree.size, number?: number): void {
    const severity = finding === 'time_backwards' ? 'warning' : 'error';
    this.#faultCount++;
    if (severity === 'error') this.#errors++;
    if (this.#faults.length < maxFaults)
      this.#faults.push({ finding, severity, message, line: this.lines, index, ...(number !== undefined && { number }) });
  }
}

function nameOf(organizationId: string | null | undefined): string {
  return organizationId === undefined ? 'the whole log' : organizationId === null ? 'the instance' : `organization ${organizationId}`;
}

function span(first: number, last: number): string {
  return first === last ? `event ${first} is` : `events ${first} to ${last} are`;
}

/** RFC 8785, as far as events use it: names sorted, no spaces, nothing twice. A text that says more than one thing is not equal to this. */
function isCanonical(text: string, value: unknown): boolean {
  try {
    return canonical(value) === text;
  } catch {
    return false; // Nested too deeply.
  }
}

function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  const members = value as Record<string, unknown>;
  return `{${Object.keys(members)
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonical(members[name])}`)
    .join(',')}}`;
}

/** Whether `ref` is `base64url(SHA-256(salt || value))`, with the salt in base64url: an event holds the reference, and the value can be erased without changing it. */
export async function opensReference({
  ref,
  salt,
  value,
}: {
  readonly ref: string;
  readonly salt: string;
  readonly value: string;
}): Promise<boolean> {
  const bytes = [fromBase64(unurl(salt)), encode(value)];
  const hash = await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes.flatMap((part) => [...part])));
  return equal(new Uint8Array(hash), fromBase64(unurl(ref)));
}

function unurl(text: string): string {
  return text
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .padEnd(Math.ceil(text.length / 4) * 4, '=');
}
