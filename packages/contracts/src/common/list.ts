import { z } from 'zod';

/** Most rows that one page of any list carries. */
export const maxPageSize = 200;

/** Where a list goes on, and how much of it to send. */
export const pageQuery = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(maxPageSize)
    .default(50)
    .meta({
      description: 'Most rows to send.',
      examples: [50],
    }),
  cursor: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .meta({
      description: 'The `next_cursor` of the page before. Opaque: its form may change.',
      examples: ['MDE5YTljNWEtN2Q0MC03YzNlLTllMWYtNGI1ZDJhNmM4ZTEw'],
    }),
});

/** A page of rows in the one form that every list of the API has. */
export function pageOf<Row extends z.ZodType>(row: Row) {
  const page = z.object({
    data: z.array(row).meta({ description: 'The rows, newest first.' }),
    next_cursor: z.string().nullable().meta({ description: 'Send it as `cursor` for the next page; null on the last.' }),
  });
  const examples = z.globalRegistry.get(row)?.examples;
  return Array.isArray(examples) ? page.meta({ examples: [{ data: examples, next_cursor: null }] as z.infer<typeof page>[] }) : page;
}
