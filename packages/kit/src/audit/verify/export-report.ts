import type { Finding, OpenedCheckpoint, Sha256, TreeHead } from './verify.ts';

// What `verifyExport` is asked, and what it says.

export type ExportFinding =
  | Finding
  /** The file ends before the checkpoint that it announced: the download was broken off, or its end was taken away. */
  | 'cut_off'
  /** A line of an event that is no event, or not in the one way of writing it, so that two readers could read two things. */
  | 'event_malformed'
  /** A number, or a leaf, is missing. */
  | 'event_dropped'
  /** A number that was there already: an event was put in, doubled or moved. */
  | 'event_out_of_order'
  /** An event of somebody else. */
  | 'event_foreign'
  /** Since the last checkpoint that was right an event was changed, dropped, put in or moved: the root is another one. */
  | 'tree_changed'
  /** The export does not stop at the size of a checkpoint that you kept, so it says nothing about it. Ask for one that does. */
  | 'kept_not_covered'
  /** Events that say they are much older than those before them: a clock was set back, or they were kept elsewhere for long. */
  | 'time_backwards'
  /** A value is not the one that the reference in the event stands for. */
  | 'personal_mismatch';

export interface ExportFault {
  readonly finding: ExportFinding;
  /** A warning has honest reasons too and does not make the export bad. */
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Of the file, from 1. */
  readonly line: number;
  /** Place in the log, from 0. */
  readonly index: number;
  /** The number in the event's series, where the fault is about one. */
  readonly number?: number;
}

/** The events of one organization; of the instance itself where `organizationId` is null. */
export interface ExportedSeries {
  readonly organizationId: string | null;
  readonly first: number;
  readonly last: number;
  readonly events: number;
}

export interface ExportReport {
  /** No errors: these are the events of the log that the checkpoint speaks of, and none is missing between the first and the last of each series. */
  readonly ok: boolean;
  readonly scope: 'log' | 'organization' | undefined;
  /** That of the last line, when a key of yours signed it. */
  readonly checkpoint: OpenedCheckpoint | undefined;
  readonly events: number;
  readonly series: readonly ExportedSeries[];
  /** Sizes of those that you kept and that this log continues. */
  readonly keptChecked: readonly number[];
  /** The first hundred; `faultCount` says how many there were. */
  readonly faults: readonly ExportFault[];
  readonly faultCount: number;
}

export interface VerifyExportOptions {
  /** Public keys, got from somewhere that who keeps the log cannot change. */
  readonly verifierKeys: readonly string[];
  /** Which log it has to be; without it that of the first line. */
  readonly origin?: string | undefined;
  /** Checkpoints that you kept from before, opened with your keys: the log must continue them. */
  readonly kept?: readonly TreeHead[];
  /** Of what the export has to be: an organization, or the instance itself (null). Without it whatever it says. */
  readonly organizationId?: string | null | undefined;
  /** The number with which an export of an organization has to begin: 1, or that after the last one that you have. */
  readonly firstNumber?: number | undefined;
  /** The last number that you know of: an export that ends before it hides something. */
  readonly lastNumber?: number | undefined;
  /** By how much an event may be older than one before it, in milliseconds. Default 3,600,000: a database that was away for a while. */
  readonly toleratedMs?: number;
  readonly sha256?: Sha256;
  /** Called now and then with the lines read so far. */
  readonly onProgress?: (progress: { readonly lines: number; readonly events: number }) => void;
}
