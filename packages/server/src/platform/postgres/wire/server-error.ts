import pg from 'pg';

/** Members of `pg.DatabaseError` by the letter that the protocol gives them (https://www.postgresql.org/docs/current/protocol-error-fields.html). */
const members: Readonly<Record<string, keyof pg.DatabaseError>> = {
  S: 'severity',
  C: 'code',
  D: 'detail',
  H: 'hint',
  P: 'position',
  p: 'internalPosition',
  q: 'internalQuery',
  W: 'where',
  s: 'schema',
  t: 'table',
  c: 'column',
  d: 'dataType',
  n: 'constraint',
  F: 'file',
  L: 'line',
  R: 'routine',
};

/** The body of an ErrorResponse as the error that pg makes of it, so that whoever maps errors knows one kind. */
export function readServerError(bytes: Buffer, start: number, end: number): pg.DatabaseError {
  const fields: Record<string, string> = {};
  let at = start;
  while (at < end && bytes[at] !== 0) {
    const letter = String.fromCharCode(bytes[at]!);
    const zero = bytes.indexOf(0, at + 1);
    const stop = zero < 0 || zero > end ? end : zero;
    fields[letter] = bytes.toString('utf8', at + 1, stop);
    at = stop + 1;
  }
  const error = new pg.DatabaseError(fields['M'] ?? 'an error without a message', end - start, 'error');
  for (const letter in members) if (fields[letter] !== undefined) Object.assign(error, { [members[letter]!]: fields[letter] });
  return error;
}
