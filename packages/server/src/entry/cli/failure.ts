import { configurationFaults } from '@holdfast/contracts';
import { toHoldfastError } from '@holdfast/kit/errors';
import { faultLine } from '../../config/index.ts';
import { printable } from './table.ts';

/**
 * What the terminal shows of a failure: one line that says what happened and what to do, with the technical detail behind it;
 * of a configuration the list of its faults. Never a stack: that is for the log, and a command has none.
 */
export function failureText(thrown: unknown): string {
  const error = toHoldfastError(thrown);
  const lines = error.message.split('\n').map((line) => printable(line));
  const first = lines[0] ?? '';
  // The list of faults is written to be read as it is.
  if (error.code === 'configuration_invalid' && hasFaults(error.details)) return `holdfast: ${lines.join('\n')}\n`;

  if (error.code === 'configuration_rejected') return rejectionText(error.publicMessage, error.details);

  const text = [`holdfast: ${error.publicMessage}`];
  if (lines.length > 1) text.push(...lines.map((line) => `  ${line}`));
  else if (first !== error.publicMessage) text[0] += ` (${first.replace(/\.$/, '')})`;
  if (error.details !== undefined) text.push(`  details: ${printable(JSON.stringify(error.details))}`);
  return `${text.join('\n')}\n`;
}

/** The faults that a server found, in the words in which a start would tell them. They came over the wire: nothing is taken on trust. */
function rejectionText(message: string, details: unknown): string {
  const { data } = configurationFaults.safeParse(details);
  const lines = (data?.faults ?? []).map(({ where, setting, problem, hint }) =>
    faultLine({ where, problem, ...(setting !== undefined && { setting }), ...(hint !== undefined && { hint }) }),
  );
  return [`holdfast: ${message}`, ...lines.map((line) => `  - ${printable(line)}`), ''].join('\n');
}

function hasFaults(details: unknown): boolean {
  return typeof details === 'object' && details !== null && 'faults' in details;
}
