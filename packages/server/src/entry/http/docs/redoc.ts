import { readFile } from 'node:fs/promises';
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

/**
 * The one thing that the bundle loads from another host, and that no option of it leaves out: the logo of its makers. The policy
 * blocks it, so that no page tells somebody else who reads it; a blocked request is a line in the console of everybody who looks there.
 */
const logoElsewhere = 'https://cdn.redoc.ly/redoc/logo-mini.svg';
const noLogo = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>";

/** Read when it is asked for: the pages must not be what keeps a server from starting. */
async function readBundle(): Promise<string> {
  const file = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js');
  return (await readFile(file, 'utf8')).replaceAll(logoElsewhere, noLogo);
}

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
    scope.get('/redoc/redoc.standalone.js', hidden, async (_request, reply) =>
      reply
        .type('text/javascript; charset=utf-8')
        .header('cache-control', 'public, max-age=3600')
        .send(await readBundle()),
    );
  });
}
