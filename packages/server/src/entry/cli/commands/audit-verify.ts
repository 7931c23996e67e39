import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { HoldfastError } from '@holdfast/kit/errors';
import {
  linesOf,
  openCheckpoint,
  openProof,
  VerificationError,
  verifyExport,
  type ExportReport,
  type OpenedCheckpoint,
} from '@holdfast/kit/audit/verify';
import { InvalidArgumentError, type Command } from 'commander';
import { databaseReportText, exportReportText } from '../audit-view.ts';
import type { CommandContext } from '../context.ts';
import { printable } from '../table.ts';

interface VerifyOptions {
  readonly key?: readonly string[];
  readonly checkpoint?: readonly string[];
  readonly organization?: string;
  readonly origin?: string;
  readonly firstNumber?: number;
  readonly lastNumber?: number;
  readonly strict?: true;
  readonly json?: true;
}

/** The log is not what it should be. 1 is for a command that could not find out. */
const unverified = 2;
const progressEveryMs = 2_000;

/** `holdfast audit verify`: with a file it needs no server, no database and no configuration. */
export function addAuditVerify(audit: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const { clock } = dependencies;
  let toldAt = clock.monotonic();
  const progress = (text: () => string): void => {
    if (clock.monotonic() - toldAt < progressEveryMs) return;
    toldAt = clock.monotonic();
    terminal.error(`${text()}\n`);
  };

  audit
    .command('verify')
    .description(
      'verify an export or a proof offline, with the public key alone; without a file the whole log in the database. Ends with 2 when something is wrong',
    )
    .argument('[file]', 'an export (jsonl), a proof (tlog-proof) or a checkpoint; - is standard input')
    .option('--key <key...>', 'public keys as `holdfast audit keys` wrote them, or files with them')
    .option('--checkpoint <file...>', 'checkpoints that you kept: the log must continue them')
    .option('--organization <id>', 'the export has to be of this organization, or of the `instance`')
    .option('--origin <name>', 'the log has to have this name')
    .option('--first-number <number>', 'the export has to begin with this number of the organization', parseNumber)
    .option('--last-number <number>', 'the export has to reach at least this number', parseNumber)
    .option('--strict', 'end with 2 for warnings, too')
    .option('--json', 'as JSON')
    .action(async (file: string | undefined, options: VerifyOptions) => {
      const given = await readKeys(options.key ?? []);
      if (file !== undefined && given.length === 0) {
        const problem = 'a file is verified with a public key that you got from somewhere else: give it with --key';
        throw new HoldfastError('invalid_request', { detail: problem, details: [{ field: 'key', message: problem }] });
      }
      try {
        if (file === undefined) await verifyTheDatabase(given, options);
        else await verifyFile(file, given, options);
      } catch (error) {
        if (!(error instanceof VerificationError)) throw error;
        context.exitCode = unverified;
        if (options.json) terminal.out(`${JSON.stringify({ ok: false, finding: error.finding, message: error.message }, undefined, 2)}\n`);
        else terminal.out(`NOT VERIFIED: ${error.finding}: ${printable(error.message)}\n`);
      }
    });

  async function verifyFile(file: string, keys: readonly string[], options: VerifyOptions): Promise<void> {
    const kept = await openKept(options.checkpoint ?? [], keys, options.origin);
    const head = file === '-' ? '' : await readHead(file);
    if (head.startsWith('c2sp.org/tlog-proof')) return showProof(await readFile(file, 'utf8'), keys, options);
    if (!head.startsWith('{') && file !== '-') return showCheckpoint(await readFile(file, 'utf8'), keys, options);
    const bytes = file === '-' ? process.stdin : createReadStream(file);
    const report = await verifyExport(linesOf(bytes as AsyncIterable<Uint8Array>), {
      verifierKeys: keys,
      kept,
      origin: options.origin,
      ...(options.organization !== undefined && {
        organizationId: options.organization === 'instance' ? null : options.organization.toLowerCase(),
      }),
      firstNumber: options.firstNumber,
      lastNumber: options.lastNumber,
      // Many times faster than WebCrypto, which makes a promise of every hash.
      sha256: (part) => createHash('sha256').update(part).digest(),
      onProgress: ({ lines, events }) => progress(() => `${lines} lines, ${events} events`),
    });
    if (isBad(report, options)) context.exitCode = unverified;
    if (options.json) terminal.out(`${JSON.stringify(reportBody(report), undefined, 2)}\n`);
    else terminal.out(exportReportText(report));
  }

  async function showProof(text: string, keys: readonly string[], options: VerifyOptions): Promise<void> {
    const { index, checkpoint, leaf } = await openProof(text, keys);
    if (options.origin !== undefined && checkpoint.origin !== options.origin)
      throw new VerificationError('origin_unexpected', `this proof is of "${checkpoint.origin}", not of "${options.origin}"`);
    const event = new TextDecoder().decode(leaf);
    if (options.json)
      terminal.out(`${JSON.stringify({ ok: true, index, size: checkpoint.size, origin: checkpoint.origin, event }, undefined, 2)}\n`);
    else terminal.out(`Verified: this is event ${index} of ${checkpoint.size} in ${printable(checkpoint.origin)}.\n${printable(event)}\n`);
  }

  async function showCheckpoint(text: string, keys: readonly string[], options: VerifyOptions): Promise<void> {
    const { origin, size, root, verified } = await openCheckpoint(text, keys, options.origin);
    const hex = Buffer.from(root).toString('hex');
    if (options.json) terminal.out(`${JSON.stringify({ ok: true, origin, size, root: hex, verified }, undefined, 2)}\n`);
    else terminal.out(`Verified: ${printable(origin)} had ${size} events with the root ${hex}.\n`);
  }

  async function verifyTheDatabase(keys: readonly string[], options: VerifyOptions): Promise<void> {
    const report = await dependencies.audit(context.configuration(), async (commands) => {
      const own = (await commands.keys()).data.map(({ verifier_key: key }) => key);
      if (keys.length === 0)
        terminal.error(
          'The public keys are those of the database itself: who can change the log can change them. Give yours with --key.\n',
        );
      const kept = await openKept(options.checkpoint ?? [], keys.length > 0 ? keys : own, options.origin);
      return commands.verify({
        verifierKeys: keys.length > 0 ? keys : own,
        kept,
        onProgress: ({ events, of }) => progress(() => `${events} of ${of} events`),
      });
    });
    if (!report.ok || isBad(report.log, options)) context.exitCode = unverified;
    if (options.json) terminal.out(`${JSON.stringify({ ...report, log: reportBody(report.log) }, undefined, 2)}\n`);
    else terminal.out(databaseReportText(report));
  }
}

function isBad(report: ExportReport, { strict }: VerifyOptions): boolean {
  return !report.ok || (strict === true && report.faultCount > 0);
}

function reportBody({ checkpoint, ...report }: ExportReport): object {
  return {
    ...report,
    checkpoint: checkpoint && {
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: Buffer.from(checkpoint.root).toString('hex'),
      verified: checkpoint.verified,
    },
  };
}

/** A key as it is, or a file with one a line. */
async function readKeys(given: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(given.map(async (text) => (/^[^\s+]+\+[0-9a-f]{8}\+\S+$/.test(text) ? text : readText(text))));
  return texts.flatMap((text) => text.split('\n').map((line) => line.trim())).filter((line) => line !== '' && !line.startsWith('#'));
}

function openKept(files: readonly string[], keys: readonly string[], origin: string | undefined): Promise<OpenedCheckpoint[]> {
  return Promise.all(files.map(async (file) => openCheckpoint(await readText(file), keys, origin)));
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readHead(path: string): Promise<string> {
  try {
    for await (const chunk of createReadStream(path, { end: 63 })) return (chunk as Buffer).toString('utf8');
    return '';
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): HoldfastError {
  const message = `${path} cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'failed'})`;
  return new HoldfastError('invalid_request', { detail: message, details: [{ field: 'file', message }], cause });
}

function parseNumber(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number of 1 or more.');
}
