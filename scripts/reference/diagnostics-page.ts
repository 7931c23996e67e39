import { findingTable, type FindingArea, type FindingRow } from '../../packages/server/src/features/health/diagnostics/finding-table.ts';
import { code, generatedNotice, table } from './markdown.ts';

const titles: Readonly<Record<FindingArea, string>> = {
  configuration: 'Insecure, contradictory, or unfit for where it runs.',
  database: 'Asked as the login of DATABASE_URL, on a connection of its own; each question takes two seconds at most.',
  process: 'This instance and its machine.',
  dependencies: 'What calls wait for.',
  providers: 'Only when they were to be called: `call_providers=true`, `holdfast diagnose --call-providers`.',
};

/** docs/reference/diagnostics.md, from the one table of findings. */
export function diagnosticsPage(): string {
  const rows = Object.entries<FindingRow>(findingTable);
  return `${[
    generatedNotice,
    '# Diagnostics',
    'Everything that `GET /api/health/diagnostics` and `holdfast diagnose` can find, and what to do about it. `critical`: work is lost or at risk now; `warning`: it will be; `info`: good to know. ' +
      'A bottleneck keeps calls waiting. [Health](../guides/health.md) says how to ask.',
    ...(Object.keys(titles) as FindingArea[]).flatMap((area) => [
      `## ${area}`,
      titles[area],
      table(
        ['Code', 'Severity', 'Bottleneck', 'What it means', 'What to do'],
        rows
          .filter(([, row]) => row.area === area)
          .map(([name, row]) => [code(name), row.severity, row.bottleneck ? 'yes' : '', row.message, row.remedy]),
      ),
    ]),
  ].join('\n\n')}\n`;
}
