import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { auditEventsPage } from './reference/audit-events-page.ts';
import { configurationPage } from './reference/configuration-page.ts';
import { diagnosticsPage } from './reference/diagnostics-page.ts';
import { errorsPage } from './reference/errors-page.ts';
import { metricsPage } from './reference/metrics-page.ts';

// Writes the reference pages; with --check it only says which of them are not as it would write them, and fails then.

const root = join(import.meta.dirname, '..');
const pages: Readonly<Record<string, () => string>> = {
  'docs/reference/audit-events.md': auditEventsPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/diagnostics.md': diagnosticsPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/metrics.md': metricsPage,
};

const check = process.argv.includes('--check');
for (const [path, page] of Object.entries(pages)) {
  const file = join(root, path);
  const text = page();
  if (text === read(file)) continue;
  if (check) {
    console.error(`${path} is not up to date`);
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(`wrote ${relative(process.cwd(), file)}`);
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
