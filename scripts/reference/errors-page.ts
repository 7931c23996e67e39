import { errorCategories, errorTable, errorTraits, type ErrorCategory, type ErrorCode } from '@holdfast/kit/errors';
import { code, generatedNotice, table } from './markdown.ts';

/** docs/reference/errors.md, from the one table of errors. */
export function errorsPage(): string {
  const traits = (Object.keys(errorTable) as ErrorCode[]).map((errorCode) => errorTraits(errorCode));
  const used = (Object.keys(errorCategories) as ErrorCategory[]).filter((category) => traits.some((row) => row.category === category));
  return `${[
    generatedNotice,
    '# Errors',
    'Every error that Holdfast shows. On `/api/*` it comes in an envelope of our own, on `/v1/*` in the shape of OpenAI, on `/v1/messages` in that of Anthropic, so that their SDKs raise their own errors. ' +
      'The message is what the user reads; what else is known stands in the log under the same request id.',
    ...used.flatMap((category) => [
      `## ${category}`,
      table(
        ['Code', 'HTTP', 'Worth another try', 'Message', 'When, and what an operator does'],
        traits
          .filter((row) => row.category === category)
          .map((row) => [code(row.code), String(row.status), row.retryable ? 'yes' : 'no', row.message, row.help]),
      ),
    ]),
  ].join('\n\n')}\n`;
}
