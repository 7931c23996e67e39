import { createHash } from 'node:crypto';
import type { AuditReportBody } from '@holdfast/contracts';

const style = `
  body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #111; background: #fff; }
  h1 { font-size: 1.6rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dt { color: #555; } dd { margin: 0; overflow-wrap: anywhere; }
  table { border-collapse: collapse; width: 100%; font-size: 12px; } th, td { text-align: left; vertical-align: top; padding: .3rem .5rem; border-bottom: 1px solid #ccc; overflow-wrap: anywhere; }
  th { border-bottom: 2px solid #111; } tr { break-inside: avoid; } thead { display: table-header-group; } pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 11px; background: #f4f4f4; padding: .6rem; }
  @media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } }
`;

/** What the page may do: nothing but have its own style. Names in it were chosen by somebody else, and a browser must not carry them out. */
export const reportPagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** A report as a page to print: complete in itself, without script. */
export function reportPage(report: AuditReportBody): string {
  const facts: readonly (readonly [string, string])[] = [
    ['Of', report.organization_id === null ? 'the whole instance' : `organization ${report.organization_id}`],
    ['From', report.from],
    ['Until', report.to],
    ['Made at', report.generated_at],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(report.title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(report.title)}</h1>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join('')}</dl>
${report.sections.map(sectionOf).join('\n')}
<h2>The log at that time</h2>
${
  report.checkpoint === null
    ? '<p>There was no checkpoint yet.</p>'
    : `<p>Signed by the log: with an export up to this size every event above can be proved.</p>\n<pre>${escapeHtml(report.checkpoint)}</pre>`
}
</body>
</html>
`;
}

function sectionOf({ title, text, columns, rows, more }: AuditReportBody['sections'][number]): string {
  const heading = `<h2>${escapeHtml(title)}</h2>\n<p>${escapeHtml(text)}</p>`;
  if (rows.length === 0) return `${heading}\n<p>None.</p>`;
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column.title)}</th>`).join('');
  const body = rows
    .map((row) => `<tr>${columns.map(({ id }) => `<td>${escapeHtml(String(row[id] ?? ''))}</td>`).join('')}</tr>`)
    .join('\n');
  const note = more ? '\n<p>There were more than a report holds: take a shorter time, or an export.</p>' : '';
  return `${heading}\n<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>${note}`;
}

/** For text between tags and in attributes with quotes. What changes the direction of writing or cannot be seen is shown as a mark. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replaceAll(/[^\P{Cc}\n]|[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, '\ufffd');
}
