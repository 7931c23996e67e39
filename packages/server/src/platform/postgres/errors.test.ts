import pg from 'pg';
import { describe, expect, test } from 'vitest';
import { HoldfastError } from '@holdfast/kit/errors';
import { mapDatabaseError } from './errors.ts';

function sqlError(code: string): pg.DatabaseError {
  return Object.assign(new pg.DatabaseError('what the server said', 20, 'error'), { code });
}
const socketError = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

test.each([
  ['22P02', 'invalid input syntax for type uuid: "bob@example.com"', 'invalid input syntax for type uuid: [value]'],
  ['22001', 'value too long for type character varying(5)', 'value too long for type character varying(5)'],
  [
    '23514',
    'new row for relation "calls" violates check constraint "known"',
    'new row for relation "calls" violates check constraint "known"',
  ],
  ['P0001', 'bob@example.com is not welcome', 'an exception that a function or trigger of the database raised'],
])(
  'an error with SQLSTATE %s has none of the values that PostgreSQL quotes, neither in its message nor in its stack',
  (code, said, kept) => {
    const error = Object.assign(new pg.DatabaseError(said, 20, 'error'), { code, constraint: 'known' });
    Object.assign(error, {
      detail: 'Failing row contains (bob@example.com).',
      where: 'COPY calls, line 1: "bob@example.com"',
      internalQuery: 'select bob@example.com',
    });
    const mapped = mapDatabaseError(error) as pg.DatabaseError;
    expect(mapped).toBe(error);
    expect([mapped.message, mapped.code, mapped.constraint]).toEqual([kept, code, 'known']);
    expect(JSON.stringify({ ...mapped, message: mapped.message, stack: mapped.stack })).not.toContain('bob');
  },
);

describe('database_unavailable, retryable, with the cause for the log', () => {
  test.each([
    '57P01',
    '57P02',
    '57P03',
    '53300',
    '53200',
    '57014',
    '55P03',
    '40P01',
    '40001',
    '25006',
    '25P03',
    '08006',
    '08001',
    '28P01',
    '28000',
    '3D000',
  ])('SQLSTATE %s', (code) => {
    const cause = sqlError(code);
    const mapped = mapDatabaseError(cause) as HoldfastError;
    expect(mapped).toMatchObject({
      code: 'database_unavailable',
      retryable: true,
      cause,
      message: `what the server said (SQLSTATE ${code})`,
    });
  });

  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOENT',
    'EACCES',
    'EAI_AGAIN',
    'ENOTFOUND',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'CERT_HAS_EXPIRED',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'ERR_TLS_CERT_ALTNAME_INVALID',
  ])('socket error %s', (code) => expect(mapDatabaseError(socketError(code))).toMatchObject({ code: 'database_unavailable' }));

  test.each([
    'Connection terminated',
    'Connection terminated unexpectedly',
    'Connection terminated due to connection timeout',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'Query read timeout',
    'Client has encountered a connection error and is not queryable',
    'Client was closed and is not queryable',
    'Cannot use a pool after calling end on the pool',
    'The server does not support SSL connections',
  ])("pg's own: %s", (message) => expect(mapDatabaseError(new Error(message))).toMatchObject({ code: 'database_unavailable' }));

  test('several addresses, all refused', () => {
    const all = new AggregateError([socketError('ECONNREFUSED'), socketError('ECONNREFUSED')]);
    expect(mapDatabaseError(all)).toMatchObject({ code: 'database_unavailable' });
  });
});

test('a full disk is disk_full', () => {
  expect(mapDatabaseError(sqlError('53100'))).toMatchObject({ code: 'disk_full' });
});

test.each([
  sqlError('23505'),
  sqlError('42501'),
  sqlError('42P01'),
  new Error('a bug'),
  new TypeError('another'),
  new HoldfastError('conflict'),
  'a string',
  undefined,
])('what is no trouble of the database comes back as it is: %s', (thrown) => expect(mapDatabaseError(thrown)).toBe(thrown));
