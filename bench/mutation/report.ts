import { acceptedSurvivors, type AcceptedSurvivor } from './accepted.ts';

/** One small change to the source, and whether a test noticed it. */
export interface Mutant {
  /** From the root of the repository. */
  readonly file: string;
  readonly line: number;
  /** The line on which the change begins, without the space around it. */
  readonly text: string;
  readonly mutator: string;
  /** What stands there instead, with single spaces. */
  readonly change: string;
  readonly status: string;
  /** The failure of the test that noticed it. */
  readonly failure: string;
}

interface RawReport {
  readonly files: Record<string, { readonly source: string; readonly mutants: readonly RawMutant[] }>;
}

interface RawMutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  readonly statusReason?: string;
  readonly location: { readonly start: { readonly line: number } };
}

/** Of the report of Stryker's JSON reporter. */
export function readMutants(json: string): Mutant[] {
  const { files } = JSON.parse(json) as RawReport;
  return Object.entries(files).flatMap(([file, { source, mutants }]) => {
    const lines = source.split('\n');
    return mutants.map(({ mutatorName, replacement = '', status, statusReason = '', location: { start } }) => ({
      file,
      line: start.line,
      text: lines[start.line - 1]!.trim(),
      mutator: mutatorName,
      change: replacement.replaceAll(/\s+/g, ' '),
      status,
      failure: statusReason,
    }));
  });
}

export interface ReportOptions {
  /** The pattern of source files, when not the whole module was changed. */
  readonly part: string | undefined;
  readonly beside: string;
}

/** What was noticed, and what was not with the reason why it may stay so, as Markdown. */
export function reportOf(module: string, mutants: readonly Mutant[], { part, beside }: ReportOptions): string {
  const noticed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout');
  const survivors = mutants
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line));
  const inTime = noticed.filter(({ status, failure }) => status !== 'Timeout' && !failure.includes('timed out'));
  const accepted = survivors.filter((survivor) => reasonFor(survivor));
  const open = survivors.filter((survivor) => !reasonFor(survivor));
  const share = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
  const place = ({ file, line }: Mutant): string => `${file.slice(`packages/kit/src/${module}/`.length)}:${line}`;
  const change = ({ mutator, change, status }: Mutant): string =>
    `${mutator}: \`${change.replaceAll('|', String.raw`\|`).slice(0, 80)}\`${status === 'NoCoverage' ? ' (no test comes here)' : ''}`;
  const lines = [
    `# Mutation tests of kit/${module}`,
    '',
    `${noticed.length} of ${mutants.length} changes noticed: **${share(noticed.length, mutants.length)}**; of the`,
    `${mutants.length - accepted.length} that a caller could notice, ${share(noticed.length, mutants.length - accepted.length)}.`,
    `${noticed.length - inTime.length} of them were noticed by a test that did not end.`,
    ...(part === undefined ? [] : ['', `Only \`${part}\`.`]),
    ...(beside === '' ? [] : ['', beside]),
    '',
    '## Not noticed, and open',
    '',
    ...(open.length === 0
      ? ['None.']
      : ['| where | change |', '| --- | --- |', ...open.map((survivor) => `| ${place(survivor)} | ${change(survivor)} |`)]),
    '',
    '## Not noticed, and why',
    '',
    ...(accepted.length === 0
      ? ['None.']
      : [
          '| where | change | why it may stay |',
          '| --- | --- | --- |',
          ...accepted.map((survivor) => `| ${place(survivor)} | ${change(survivor)} | ${reasonFor(survivor)!.reason} |`),
        ]),
  ];
  const stale = acceptedSurvivors.filter(
    (entry) =>
      mutants.some(({ file }) => matches(entry.file, file.slice('packages/kit/src/'.length))) &&
      !survivors.some((survivor) => isOf(entry, survivor)),
  );
  if (part === undefined && stale.length > 0) {
    lines.push(
      '',
      '## Reasons for what is noticed now or gone',
      '',
      ...stale.map(({ file, line }) => `- ${String(file)}: \`${String(line)}\``),
    );
  }
  return `${lines.join('\n')}\n`;
}

function reasonFor(survivor: Mutant): AcceptedSurvivor | undefined {
  return acceptedSurvivors.find((entry) => isOf(entry, survivor));
}

/** By the text of the line, since its number changes with every edit above it. */
function isOf({ file, line, changes }: AcceptedSurvivor, survivor: Mutant): boolean {
  return (
    matches(file, survivor.file.slice('packages/kit/src/'.length)) &&
    matches(line, survivor.text) &&
    (changes === undefined || changes.includes(survivor.change))
  );
}

function matches(expected: string | RegExp, text: string): boolean {
  return typeof expected === 'string' ? expected === text : expected.test(text);
}
