import swagger from '@fastify/swagger';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { addRedoc } from './redoc.ts';
import { addSwaggerUi } from './swagger-ui.ts';
import type { ApiDocument } from './api-document.ts';
import { completeDocument, noteOperations } from './complete-document.ts';
import { apiTags } from './tags.ts';

export interface ApiDescriptionOptions {
  readonly version: string;
}

/**
 * `/openapi.json`, `/docs` and `/redoc`, from the schemas of the routes. MUST be called before routes are added. Nothing is
 * generated until somebody asks, since a server that nobody reads about should start fast and stay small.
 */
export async function describeApi(app: FastifyInstance, { version }: ApiDescriptionOptions): Promise<void> {
  const operations = noteOperations(app);
  const transform = createJsonSchemaTransform({ skipList: [] });
  const addComponents = createJsonSchemaTransformObject({});
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Holdfast',
        version,
        summary: 'The production layer for AI backends',
        description:
          'Point the OpenAI or the Anthropic SDK at this server. Routes under `/v1` speak the dialect of the SDK, errors included; routes under `/api` speak Holdfast’s own.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } as { name: string },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: apiTags,
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: 'A key of Holdfast, as OpenAI’s SDKs send it.' },
          apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'A key of Holdfast, as Anthropic’s SDKs send it.' },
        },
      },
    },
    convertConstToEnum: false,
    // A route that says nothing about itself is no part of the public API.
    transform: (input) => (input.schema ? transform(input) : { schema: { hide: true }, url: input.url }),
    transformObject: (input) => completeDocument(addComponents(input) as unknown as ApiDocument, operations) as never,
  });

  let text: string | undefined;
  app.get('/openapi.json', { schema: { hide: true } as object }, (_request, reply) => {
    text ??= JSON.stringify(app.swagger());
    void reply.type('application/json; charset=utf-8').send(text);
  });
  await addSwaggerUi(app);
  addRedoc(app);
}
