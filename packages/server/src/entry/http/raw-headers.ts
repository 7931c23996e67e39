import { headerFields } from '@holdfast/kit/ratelimit';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { securityHeaderList } from './security-headers.ts';

/** Not frozen, as the exported list is: copying a frozen array takes a slow path of the engine. */
const template = [...securityHeaderList];

/** Adds `reply.rawHeaders()`, for handlers that write their answer past Fastify. */
export function decorateRawHeaders(app: FastifyInstance, isDraining: () => boolean): void {
  app.decorateReply('rawHeaders', function rawHeaders(this: FastifyReply): string[] {
    const headers = template.slice();
    headers.push('x-request-id', this.request.id);
    const { rateLimitDecision } = this.request;
    if (rateLimitDecision !== null) {
      const fields = headerFields(rateLimitDecision);
      for (const name in fields) headers.push(name, fields[name]!);
    }
    if (isDraining()) headers.push('connection', 'close');
    // Only a browser names its origin, and only then has the CORS plugin put anything onto the reply.
    if (this.request.headers.origin !== undefined) {
      for (const [name, value] of Object.entries(this.getHeaders())) {
        if (value !== undefined) headers.push(name, Array.isArray(value) ? value.join(', ') : String(value));
      }
    }
    return headers;
  });
}
