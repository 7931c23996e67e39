import { perfectSubtrees, type TreeNode } from '../merkle/index.ts';

export interface ExportedEvent {
  /** Place in the log, from 0. */
  readonly index: number;
  /** The bytes that were hashed, as text: canonical JSON in one line. */
  readonly leaf: string;
  /** What references in the event stand for, where that is to be told. */
  readonly personal?: readonly { readonly ref: string; readonly kind: string; readonly salt: string; readonly value: string }[];
}

/** A checkpoint and the number of leaves that it speaks of. */
export interface SignedSize {
  readonly size: number;
  readonly note: string;
}

export interface WriteExportOptions {
  readonly origin: string;
  /** Whose events; null for those of the instance itself. Undefined for the whole log. */
  readonly organizationId?: string | null | undefined;
  /** What the export ends with. */
  readonly checkpoint: SignedSize;
  /** The events, in the order of the log, all before the size of the checkpoint. */
  readonly pages: AsyncIterable<readonly ExportedEvent[]> | Iterable<readonly ExportedEvent[]>;
  /** Hashes of perfect subtrees, in the order asked for. Called once a page at most. */
  readonly readNodes: (nodes: readonly TreeNode[]) => Promise<readonly Uint8Array[]>;
  /** Sizes of checkpoints that whoever verifies kept: the export can be compared with them. */
  readonly stops?: readonly number[];
  /** The first checkpoint of at least `size` leaves: a few of them in between tell where a fault is. Called once a page at most. */
  readonly checkpointFrom?: (size: number) => Promise<SignedSize | undefined>;
}

type Part = { readonly nodes: readonly TreeNode[] } | { readonly text: string };

/**
 * An export as text, whole lines at a time: `verifyExport` of `@holdfast/kit/audit/verify` says what stands in it. Little memory is used, and
 * nothing is read before it is asked for. Throws a `RangeError` for events out of order or behind the checkpoint.
 */
export async function* writeExport(options: WriteExportOptions): AsyncGenerator<string> {
  const { origin, organizationId, checkpoint, pages, readNodes, checkpointFrom } = options;
  yield line({
    audit: 'export',
    format: 1,
    origin,
    scope: organizationId === undefined ? 'log' : 'organization',
    ...(organizationId !== undefined && { organization_id: organizationId }),
    size: checkpoint.size,
  });

  let at = 0;
  let between: SignedSize | undefined;
  const stops = [...new Set(options.stops)].filter((size) => size > 0 && size < checkpoint.size).sort((a, b) => a - b);

  /** What stands for the leaves up to `end`, cut where somebody wants to compare. */
  function passOver(end: number): Part[] {
    const parts: Part[] = [];
    for (;;) {
      while (stops[0] !== undefined && stops[0] < at) stops.shift();
      const cut = Math.min(end, stops[0] ?? end, between?.size ?? end);
      if (cut > at) parts.push({ nodes: perfectSubtrees(at, cut) });
      at = Math.max(at, cut);
      if (stops[0] === at) stops.shift();
      if (between !== undefined && between.size <= at) {
        if (between.size === at) parts.push({ text: line({ audit: 'checkpoint', note: between.note }) });
        between = undefined;
      }
      if (at >= end) return parts;
    }
  }

  async function textOf(parts: readonly Part[]): Promise<string> {
    const nodes = parts.flatMap((part) => ('nodes' in part ? part.nodes : []));
    const hashes = nodes.length === 0 ? [] : await readNodes(nodes);
    if (hashes.length !== nodes.length) throw new RangeError(`${nodes.length} hashes are needed, not ${hashes.length}`);
    let next = 0;
    return parts
      .map((part) =>
        'text' in part
          ? part.text
          : line({ audit: 'skip', subtrees: part.nodes.map(({ level }) => [level, Buffer.from(hashes[next++]!).toString('base64')]) }),
      )
      .join('');
  }

  for await (const page of pages) {
    const parts: Part[] = [];
    for (const { index, leaf, personal } of page) {
      if (index < at || index >= checkpoint.size) throw new RangeError(`leaf ${index} is not between ${at} and ${checkpoint.size}`);
      parts.push(...passOver(index), { text: `${leaf}\n` });
      at = index + 1;
      for (const { ref, kind, salt, value } of personal ?? []) parts.push({ text: line({ audit: 'personal', ref, kind, salt, value }) });
    }
    if (parts.length > 0) yield await textOf(parts);
    const next = between ?? (page.length > 0 ? await checkpointFrom?.(at) : undefined);
    between = next !== undefined && next.size < checkpoint.size ? next : undefined;
  }
  yield await textOf(passOver(checkpoint.size));
  yield line({ audit: 'checkpoint', note: checkpoint.note });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
