/** The wire of a request, told by its path (and for models by the header that only Anthropic's clients send). */
export type UpstreamDialect = 'openai' | 'anthropic';

export type UpstreamRoute = 'chat' | 'embeddings' | 'models' | 'count_tokens' | 'unknown';

/** What the answers need to know of a request. */
export interface ScriptRequest {
  readonly dialect: UpstreamDialect;
  readonly route: UpstreamRoute;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly choices: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const routes: Readonly<Record<string, readonly [UpstreamDialect, UpstreamRoute]>> = {
  'POST /v1/chat/completions': ['openai', 'chat'],
  'POST /v1/embeddings': ['openai', 'embeddings'],
  'GET /v1/models': ['openai', 'models'],
  'POST /v1/messages': ['anthropic', 'chat'],
  'POST /v1/messages/count_tokens': ['anthropic', 'count_tokens'],
};

export function routeOf(method: string, path: string, headers: NodeJS.Dict<string | string[]>): readonly [UpstreamDialect, UpstreamRoute] {
  const route = routes[`${method} ${path.split('?', 1)[0]}`] ?? (['openai', 'unknown'] as const);
  return route[1] === 'models' && headers['anthropic-version'] !== undefined ? ['anthropic', 'models'] : route;
}

export function readScriptRequest(dialect: UpstreamDialect, route: UpstreamRoute, body: Readonly<Record<string, unknown>>): ScriptRequest {
  const options = body['stream_options'] as { include_usage?: unknown } | null | undefined;
  return {
    dialect,
    route,
    model: typeof body['model'] === 'string' ? body['model'] : '',
    stream: body['stream'] === true,
    includeUsage: options?.include_usage === true,
    choices: typeof body['n'] === 'number' ? body['n'] : 1,
    body,
  };
}

/** The mark by which a test knows its call again: OpenAI's `user`, Anthropic's `metadata.user_id`. */
export function markerOf(body: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof body['user'] === 'string') return body['user'];
  const metadata = body['metadata'] as { user_id?: unknown } | null | undefined;
  return typeof metadata?.user_id === 'string' ? metadata.user_id : undefined;
}
