import { isGiven, type JsonObject } from '../json/index.ts';
import type { Findings } from './findings.ts';
import type { FieldRow, FieldTable } from './row.ts';

const indexes = new WeakMap<FieldTable, ReadonlyMap<string, FieldRow>>();

/** Finds the top-level members that cannot be carried: those refused by the table, and those it does not know. */
export function checkMembers(body: Readonly<JsonObject>, table: FieldTable, findings: Findings): void {
  const rows = indexRows(table);
  for (const name of Object.keys(body)) {
    const value = body[name];
    if (!isGiven(value)) continue;
    const row = rows.get(name);
    if (!row) {
      findings.unsupported(name.slice(0, 64), 'not known to have a counterpart at this provider');
    } else if (row.fate === 'refused' && row.neutral?.(value) !== true) {
      findings.unsupported(name, plainText(row.note));
    }
  }
}

function indexRows(table: FieldTable): ReadonlyMap<string, FieldRow> {
  let rows = indexes.get(table);
  if (!rows) indexes.set(table, (rows = new Map(table.members.map((row) => [row.field, row]))));
  return rows;
}

/** The notes are written for the guide. */
function plainText(markdown: string): string {
  return markdown.replaceAll('`', '');
}
