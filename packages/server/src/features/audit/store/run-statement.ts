import type pg from 'pg';

/** One statement on the connection of a session, and its rows. With a name it is planned once. */
export type RunStatement = <Row extends pg.QueryResultRow>(
  statement: string | { readonly name: string; readonly text: string },
  values?: readonly unknown[],
) => Promise<Row[]>;
