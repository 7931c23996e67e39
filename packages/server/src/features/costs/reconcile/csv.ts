/**
 * The records of a CSV as RFC 4180 has it, each as its fields by the name in the first line; separated by commas, or by tabs where the first line has
 * some, as spreadsheets copy them. Undefined when a quote does not end.
 */
export function readCsv(text: string): readonly Readonly<Record<string, string>>[] | undefined {
  const unmarked = text.startsWith('\u{FEFF}') ? text.slice(1) : text;
  const firstLine = unmarked.slice(0, /\r?\n|$/.exec(unmarked)!.index);
  const lines = splitRecords(unmarked, firstLine.includes('\t') ? '\t' : ',');
  if (lines === undefined) return undefined;
  const [header = [], ...records] = lines;
  const names = header.map((name) => name.trim());
  return records
    .filter((record) => record.some((field) => field.trim() !== ''))
    .map((record) => Object.fromEntries(names.map((name, index) => [name, (record[index] ?? '').trim()])));
}

function splitRecords(text: string, separator: string): string[][] | undefined {
  const records: string[][] = [];
  let record: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quoted) {
      if (character !== '"') field += character;
      else if (text[at + 1] === '"') {
        field += '"';
        at++;
      } else quoted = false;
    } else if (character === '"' && field === '') quoted = true;
    else if (character === separator) {
      record.push(field);
      field = '';
    } else if (character === '\n') {
      record.push(field.endsWith('\r') ? field.slice(0, -1) : field);
      records.push(record);
      record = [];
      field = '';
    } else field += character;
  }
  if (quoted) return undefined;
  if (field !== '' || record.length > 0) records.push([...record, field]);
  return records;
}
