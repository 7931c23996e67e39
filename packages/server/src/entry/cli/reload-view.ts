import type { ReloadReportBody } from '@holdfast/contracts';
import { printable } from './table.ts';

/** What a reload changed, for people: a line for each part in which something did. */
export function reloadText({ result, changes, restart_required, digest, instance }: ReloadReportBody): string {
  const where = `${instance.host} (process ${instance.pid})`;
  const lines = [result === 'applied' ? `The new configuration is in force at ${where}.` : `Nothing to change at ${where}.`];
  for (const [part, names] of Object.entries(changes)) {
    for (const how of ['added', 'removed', 'changed'] as const) {
      if (names[how].length > 0) lines.push(`  ${part.replaceAll('_', ' ')} ${how}: ${names[how].join(', ')}`);
    }
  }
  if (restart_required.length > 0) lines.push(`  with the next start only: ${restart_required.join(', ')}`);
  lines.push(`Digest: ${digest}`);
  return lines.map((line) => `${printable(line)}\n`).join('');
}
