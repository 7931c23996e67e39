import { HoldfastError } from '@holdfast/kit/errors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ZodType } from 'zod';
import { jsonDepthExceeds } from './json-depth.ts';

const json = 'application/json';

/**
 * Bodies of `/api`: JSON and nothing else, never deeper than `maxDepth`, and without the keys through which a careless
 * merge would reach a prototype.
 */
export function parseJsonBodies(app: FastifyInstance, maxDepth: number): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser(json, { parseAs: 'buffer' }, (request, body, done) => {
    const bytes = body as Buffer;
    // Many clients name a type with every request, also with one that has no body.
    if (bytes.length === 0 && mayBeEmpty(request)) return done(null, undefined);
    if (jsonDepthExceeds(bytes, maxDepth)) return done(new HoldfastError('body_too_deep'));
    void parse(request, bytes.toString('utf8'), done);
  });
}

/**
 * Bodies of `/v1`: JSON by its content type, handed on as the bytes that came. Their depth is checked by the reader of the
 * gateway, which passes over them once in any case.
 */
export function keepJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(json, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** Whether the route takes a request without a body. */
function mayBeEmpty(request: FastifyRequest): boolean {
  const schema = request.routeOptions.schema?.body as ZodType | undefined;
  return schema === undefined || schema.safeParse(undefined).success;
}
