import { readFile, readdir } from 'node:fs/promises';
import type { HealthSnapshot } from '@holdfast/kit/health';
import { spaceOfFolder } from '../checks/index.ts';
import { findingOf, type Finding } from './finding.ts';

export interface ProcessFacts {
  readonly eventLoopDelayMs: number;
  readonly heapUsedBytes: number;
  readonly heapLimitBytes: number;
  readonly residentBytes: number;
  readonly memoryLimitBytes: number;
  /** Undefined where the operating system does not tell. */
  readonly openFiles: number | undefined;
  readonly openFilesLimit: number | undefined;
  readonly disks: readonly { readonly freeBytes: number; readonly totalBytes: number }[];
}

const eventLoopLateMs = 100;
const fullShare = 0.9;
const openFilesShare = 0.8;

export function examineProcess(facts: ProcessFacts, minFreeBytes: number): Finding[] {
  const findings: Finding[] = [];
  const add = (is: boolean, ...found: Parameters<typeof findingOf>): void => {
    if (is) findings.push(findingOf(...found));
  };
  for (const { freeBytes, totalBytes } of facts.disks)
    add(freeBytes < minFreeBytes, 'disk_short', { free_bytes: freeBytes, total_bytes: totalBytes, expected_free_bytes: minFreeBytes });
  const { openFiles = 0, openFilesLimit = Number.POSITIVE_INFINITY } = facts;
  add(openFiles > openFilesLimit * openFilesShare, 'file_descriptors_short', { open: openFiles, limit: openFilesLimit });
  add(facts.eventLoopDelayMs > eventLoopLateMs, 'event_loop_late', { delay_ms: Math.round(facts.eventLoopDelayMs) });
  add(facts.heapUsedBytes > facts.heapLimitBytes * fullShare, 'heap_short', {
    used_bytes: facts.heapUsedBytes,
    limit_bytes: facts.heapLimitBytes,
  });
  add(facts.residentBytes > facts.memoryLimitBytes * fullShare, 'memory_short', {
    used_bytes: facts.residentBytes,
    limit_bytes: facts.memoryLimitBytes,
  });
  return findings;
}

/** What examinations of their own tell in more detail. */
const toldElsewhere: ReadonlySet<string> = new Set(['database', 'disk', 'event_loop', 'heap', 'memory', 'ledger']);

export interface DependencyFacts {
  readonly health: HealthSnapshot;
  readonly ledger: { readonly available: boolean; readonly queued: number };
  readonly pools: readonly { readonly role: string; readonly maxConnections: number; readonly waiting: number }[];
  /** Names of targets whose breakers an operator has opened. */
  readonly heldOpen: readonly string[];
}

/** A full commit is 256 rows: more than four of them wait for the disk, not for each other. */
const longQueue = 1_024;

export function examineDependencies({ health, ledger, pools, heldOpen }: DependencyFacts): Finding[] {
  const findings: Finding[] = [];
  if (!ledger.available) findings.push(findingOf('ledger_unavailable'));
  if (ledger.queued > longQueue) findings.push(findingOf('ledger_queue_long', { rows: ledger.queued }));
  for (const { role, maxConnections, waiting } of pools)
    if (waiting > 0) findings.push(findingOf('pool_exhausted', { pool: role, max_connections: maxConnections, waiting }));
  for (const { name, status, message } of health.components)
    if (status !== 'healthy' && !toldElsewhere.has(name)) findings.push(findingOf('dependency_unwell', { name, status, message }));
  if (heldOpen.length > 0) findings.push(findingOf('breaker_held_open', { targets: heldOpen }));
  return findings;
}

/** Files that this process has open and may have: from /proc, so on Linux only. */
export async function readOpenFiles(): Promise<Pick<ProcessFacts, 'openFiles' | 'openFilesLimit'>> {
  try {
    const [open, limits] = await Promise.all([readdir('/proc/self/fd'), readFile('/proc/self/limits', 'utf8')]);
    const limit = /^Max open files\s+(\d+|unlimited)/m.exec(limits)?.[1];
    return { openFiles: open.length, openFilesLimit: limit === undefined || limit === 'unlimited' ? undefined : Number(limit) };
  } catch {
    return { openFiles: undefined, openFilesLimit: undefined };
  }
}

/** Of folders that are there. */
export async function readDisks(folders: readonly string[]): Promise<ProcessFacts['disks']> {
  const spaces = await Promise.all(folders.map((folder) => spaceOfFolder(folder).catch(() => undefined)));
  return spaces.filter((space) => space !== undefined);
}
