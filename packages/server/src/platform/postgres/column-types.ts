import type { ColumnType } from 'kysely';

/** `timestamptz`: a Date when read; Date or RFC 3339 text when written. */
export type Timestamp = ColumnType<Date, Date | string, Date | string>;
export type OptionalTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
/** `bigint`: a safe integer when read; number or bigint when written. */
export type OptionalInteger = ColumnType<number | null, number | bigint | null | undefined, number | bigint | null>;
/** `jsonb`: a value when read; JSON text when written, because pg would send an array as a PostgreSQL array. */
export type OptionalJson = ColumnType<unknown, string | null | undefined, string | null>;
