import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { swaggerUiPolicy } from './page-headers.ts';

export async function addSwaggerUi(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: swaggerUiPolicy,
    theme: { title: 'Holdfast API' },
    uiConfig: { url: '/openapi.json', tryItOutEnabled: true, persistAuthorization: false },
  });
}
