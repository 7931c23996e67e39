import type { ApiOperation } from './api-document.ts';

/** Where a health report is answered, whoever accepts `application/health+json` gets that: the framework describes one type an answer. */
export function addHealthJson(operation: ApiOperation): void {
  for (const response of Object.values(operation.responses)) {
    const ref = response.content?.['application/json']?.schema?.['$ref'];
    if (ref !== '#/components/schemas/HealthReport') continue;
    response.content!['application/health+json'] = { schema: { $ref: '#/components/schemas/HealthJson' } };
  }
}
