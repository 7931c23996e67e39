import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Much of the server runs only in the processes that end-to-end tests start, where vitest sees nothing. Node itself records
// those (NODE_V8_COVERAGE); here their lines are added to vitest's.

/** Shares of lines that have to be run by some test. */
export const demandedShares: readonly { readonly folder: string; readonly percent: number }[] = [
  { folder: 'packages/kit/src/', percent: 90 },
  { folder: 'packages/server/src/', percent: 85 },
];

interface Position {
  readonly line: number;
  readonly column: number;
}
/** One file of vitest's report (Istanbul's format). */
export interface FileReport {
  readonly statementMap: Readonly<Record<string, { readonly start: Position }>>;
  readonly s: Readonly<Record<string, number>>;
}
/** One script of V8's report. Inner ranges are inside outer ones; the innermost tells how often a place was run. */
export interface ScriptReport {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

export interface CoverageResult {
  /** A sentence for each demand. */
  readonly lines: readonly string[];
  readonly enough: boolean;
}

/** Reads both reports and judges them. A missing report is not enough, whatever else is true. */
export function judgeCoverage(root: string, childFolder: string): CoverageResult {
  const reportFile = join(root, 'coverage/coverage-final.json');
  if (!existsSync(reportFile)) return { lines: ['coverage: there is no report'], enough: false };
  const files = JSON.parse(readFileSync(reportFile, 'utf8')) as Record<string, FileReport>;
  const scripts = new Map<string, ScriptReport[]>();
  for (const name of globSync('*.json', { cwd: childFolder })) {
    for (const script of readScripts(join(childFolder, name))) {
      if (!script.url.startsWith('file:')) continue;
      const path = fileURLToPath(script.url);
      if (files[path]) scripts.set(path, [...(scripts.get(path) ?? []), script]);
    }
  }
  const results = demandedShares.map(({ folder, percent }) => {
    let run = 0;
    let all = 0;
    for (const [path, file] of Object.entries(files)) {
      if (!path.startsWith(join(root, folder))) continue;
      for (const count of lineCounts(file, readFileSync(path, 'utf8'), scripts.get(path) ?? []).values()) {
        all += 1;
        if (count > 0) run += 1;
      }
    }
    const share = all === 0 ? 0 : (100 * run) / all;
    return { enough: share >= percent, line: `coverage: ${share.toFixed(1)} % of the lines of ${folder} (${percent} % are demanded)` };
  });
  return { lines: results.map(({ line }) => line), enough: results.every(({ enough }) => enough) };
}

/** How often each line on which a statement begins was run, by vitest or by one of the processes. */
export function lineCounts(file: FileReport, source: string, scripts: readonly ScriptReport[]): Map<number, number> {
  const lineStarts = [0];
  for (let at = source.indexOf('\n'); at >= 0; at = source.indexOf('\n', at + 1)) lineStarts.push(at + 1);
  const counts = new Map<number, number>();
  for (const [id, { start }] of Object.entries(file.statementMap)) {
    // Node strips types by writing blanks over them, so that places in the source are places in what was run.
    const offset = lineStarts[start.line - 1]! + start.column;
    const count = (file.s[id] ?? 0) + scripts.reduce((sum, script) => sum + countAt(script, offset), 0);
    counts.set(start.line, Math.max(counts.get(start.line) ?? 0, count));
  }
  return counts;
}

function countAt(script: ScriptReport, offset: number): number {
  let size = Infinity;
  let count = 0;
  for (const { ranges } of script.functions) {
    for (const range of ranges) {
      if (range.startOffset > offset || range.endOffset <= offset || range.endOffset - range.startOffset > size) continue;
      size = range.endOffset - range.startOffset;
      count = range.count;
    }
  }
  return count;
}

/** A process that was killed leaves a report cut short, or none. */
function readScripts(file: string): readonly ScriptReport[] {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { result: ScriptReport[] }).result;
  } catch {
    return [];
  }
}
