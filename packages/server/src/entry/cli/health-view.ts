import type { DiagnosisBody, EndpointTestReportBody, HealthReport } from '@holdfast/contracts';
import { formatTable, printable } from './table.ts';

export function healthText({ status, dependencies }: HealthReport): string {
  const rows = dependencies.map((each) => [
    each.name,
    each.status,
    each.response_time_ms === null ? '' : String(each.response_time_ms),
    each.message,
  ]);
  return `${formatTable(['NAME', 'STATUS', 'MS', 'MESSAGE'], rows, new Set(['MS']))}The server is ${status}.\n`;
}

export function diagnosisText({ status, findings, providers, instance, duration_ms }: DiagnosisBody): string {
  const lines: string[] = [];
  for (const { code, severity, message, evidence, remedy, bottleneck } of findings) {
    const shown = Object.entries(evidence).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(', ') : String(value)}`);
    lines.push(`${severity.toUpperCase()} ${code}${bottleneck ? ' (a bottleneck)' : ''}`, `  ${message}`);
    if (shown.length > 0) lines.push(`  ${shown.join('; ')}`);
    lines.push(`  \u2192 ${remedy}`, '');
  }
  for (const { target, answered, error_code, latency_ms, cost_usd } of providers ?? []) {
    const cost = cost_usd === null ? 'at an unknown cost' : `for ${cost_usd} USD`;
    lines.push(`${target}: ${answered ? `answered in ${Math.round(latency_ms)} ms ${cost}` : `failed (${error_code ?? 'unknown'})`}`);
  }
  const count = findings.length === 0 ? 'Nothing was found' : findings.length === 1 ? '1 finding' : `${findings.length} findings`;
  lines.push(`${count} at ${instance.host} (process ${instance.pid}) in ${Math.round(duration_ms)} ms: ${status}.`);
  return lines.map((line) => `${printable(line)}\n`).join('');
}

/** What failed and what was skipped; of what passed the number says enough. */
export function endpointTestText({ tests, passed, failed, skipped, duration_ms, leftovers_removed }: EndpointTestReportBody): string {
  const lines = tests
    .filter(({ outcome }) => outcome !== 'passed')
    .map(({ name, outcome, detail }) => `${outcome.padEnd(7)}  ${name}${detail === null ? '' : ` (${detail})`}`);
  if (leftovers_removed > 0) lines.push(`Removed what ${leftovers_removed} organizations of earlier runs had left.`);
  lines.push(`${passed} passed, ${failed} failed, ${skipped} skipped, in ${Math.round(duration_ms)} ms.`);
  return lines.map((line) => `${printable(line)}\n`).join('');
}
