import { HoldfastError } from '@holdfast/kit/errors';

interface Paged<Body> {
  data: Body[];
  next_cursor: string | null;
}

/** A page of what was read with one row more than is shown. Cursors are ids of rows, so pages neither repeat nor leave out. */
export function pageOfRows<Row extends { readonly id: string }, Body>(
  rows: readonly Row[],
  limit: number,
  toBody: (row: Row) => Body,
): Paged<Body> {
  const shown = rows.slice(0, limit);
  return {
    data: shown.map(toBody),
    next_cursor: rows.length > limit ? Buffer.from(shown.at(-1)!.id).toString('base64url') : null,
  };
}

/** Throws `invalid_request` for a cursor that is none of ours. */
export function readAlertCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined) return undefined;
  const id = Buffer.from(cursor, 'base64url').toString();
  if (/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return id;
  throw new HoldfastError('invalid_request', { details: [{ field: 'cursor', message: 'is no cursor of this list' }] });
}
