import pg from 'pg';
import { HoldfastError } from '@holdfast/kit/errors';

const int8Oid = 20;

/**
 * How values come back, for our connections only: `bigint` as a number instead of pg's string. One beyond 2^53 fails the query
 * rather than being rounded in silence. Everything else is as in pg: `timestamptz` a Date, `numeric` a string, `jsonb` parsed,
 * `bytea` a Buffer.
 */
export const typeParsers: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (oid === int8Oid && format !== 'binary') return parseInt8;
    return pg.types.getTypeParser(oid, format);
  },
};

function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new HoldfastError('internal_error', { detail: `a bigint of the database is beyond 2^53: ${text}` });
  }
  return value;
}
