import type { RawAnswer } from '../../../platform/server-client/index.ts';
import type { ApiDescription, DescribedRoute } from './api-description.ts';

/** What is wrong with an answer; undefined when it is as described. */
export type AnswerJudge = (route: DescribedRoute, answer: RawAnswer) => string | undefined;

const documentId = 'https://holdfast.invalid/openapi';

/** Holds answers against the description. The validator is loaded by whoever asks for it, and by nobody else. */
export async function createAnswerJudge(description: ApiDescription): Promise<AnswerJudge> {
  const [{ Ajv2020 }, { default: addFormats }] = await Promise.all([import('ajv/dist/2020.js'), import('ajv-formats')]);
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  // CommonJS with a default in its default.
  (addFormats as unknown as { default: (ajv: object) => void }).default(ajv);
  ajv.addSchema({ $id: documentId, ...description });
  const pointer = (part: string): string => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

  return ({ path, method, operation }, { status, contentType, text }) => {
    const described = operation.responses[String(status)];
    if (!described) return `answers ${status}, which is not described`;
    if (!described.content) return undefined;
    if (!(contentType in described.content)) return `answers ${status} as ${contentType || 'nothing'}, which is not described`;
    if (!contentType.endsWith('json')) return undefined;
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      return `answers ${status} with what is not JSON`;
    }
    const way = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', contentType, 'schema'].map(pointer).join('/');
    const validate = ajv.compile({ $ref: `${documentId}#/${way}` });
    return validate(body) ? undefined : `answers ${status} with what does not fit its schema: ${ajv.errorsText(validate.errors)}`;
  };
}
