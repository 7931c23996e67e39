import type { FastifyInstance } from 'fastify';

/**
 * Which methods a path answers, for the `allow` header of a 405. Fastify's router cannot be asked, so the patterns are
 * noted as they are registered and turned into expressions when the first wrong method comes. MUST be called before routes are added.
 */
export function noteAllowedMethods(app: FastifyInstance): (path: string) => string[] {
  const methodsOf = new Map<string, Set<string>>();
  let matchers: { readonly pattern: RegExp; readonly methods: ReadonlySet<string> }[] | undefined;

  app.addHook('onRoute', ({ method, url }) => {
    // The catch-all for CORS preflights is no route of the API.
    if (url === '*' || url === '/*') return;
    const methods = methodsOf.get(url) ?? new Set();
    methodsOf.set(url, methods);
    for (const name of typeof method === 'string' ? [method] : method) methods.add(name);
    matchers = undefined;
  });

  return (path) => {
    matchers ??= [...methodsOf].map(([url, methods]) => ({ pattern: toExpression(url), methods }));
    const allowed = new Set<string>();
    for (const { pattern, methods } of matchers) if (pattern.test(path)) for (const method of methods) allowed.add(method);
    return [...allowed].sort();
  };
}

/** Linear in the path's length: no nested repetition. */
function toExpression(url: string): RegExp {
  const source = url
    .split('/')
    .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment.split('*').map(escapeExpression).join('.*')))
    .join('/');
  return new RegExp(`^${source}$`);
}

function escapeExpression(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
