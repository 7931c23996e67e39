import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { redocPolicy } from './page-headers.ts';

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Holdfast API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/redoc/page.css">
</head>
<body>
<main id="redoc"><noscript>This page needs JavaScript. The description itself is at /openapi.json.</noscript></main>
<script src="/redoc/redoc.standalone.js"></script>
<script src="/redoc/start.js"></script>
</body>
</html>
`;

const style = 'body { margin: 0; }\n';

// Fonts of the system: ReDoc's own default asks for fonts that are not here.
const start = `Redoc.init('/openapi.json', {
  theme: { typography: { fontFamily: 'system-ui, sans-serif', headings: { fontFamily: 'system-ui, sans-serif' }, code: { fontFamily: 'ui-monospace, monospace' } } },
}, document.getElementById('redoc'));
`;

/** ReDoc's standalone bundle, served from the installed package. */
export function addRedoc(app: FastifyInstance): void {
  const hidden = { schema: { hide: true } as object };
  app.register(async (scope) => {
    scope.addHook('onSend', (_request, reply, payload, done) => {
      reply.header('content-security-policy', redocPolicy);
      done(null, payload);
    });
    const text = (type: string, content: string) => (_request: unknown, reply: FastifyReply) => reply.type(type).send(content);
    scope.get('/redoc', hidden, text('text/html; charset=utf-8', page));
    scope.get('/redoc/', hidden, text('text/html; charset=utf-8', page));
    scope.get('/redoc/page.css', hidden, text('text/css; charset=utf-8', style));
    scope.get('/redoc/start.js', hidden, text('text/javascript; charset=utf-8', start));
    scope.get('/redoc/redoc.standalone.js', hidden, (_request, reply) => {
      // Looked up when it is asked for: the pages must not be what keeps a server from starting.
      const file = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js');
      return reply.type('text/javascript; charset=utf-8').header('cache-control', 'public, max-age=3600').send(createReadStream(file));
    });
  });
}
