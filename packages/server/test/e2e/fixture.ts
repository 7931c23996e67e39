import Anthropic from '@anthropic-ai/sdk';
import { startScriptedUpstream, type ScriptedUpstream } from '@holdfast/kit/testing';
import type { UsagePage, UsageRow } from '@holdfast/contracts';
import OpenAI from 'openai';
import { startServer, type RunningServer, type StartServerOptions } from '../support/server.ts';

/** Limits are what other tests are about: these send a minute's worth of bad requests from one address. */
export const roomyRateLimits = {
  levels: { global: { requestsPerMinute: 1_000_000, burst: 100_000 }, ip: { requestsPerMinute: 1_000_000, burst: 100_000 } },
};

export interface Gateway {
  readonly upstream: ScriptedUpstream;
  readonly server: RunningServer;
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  /** The ledger's rows of a request id, oldest first; waits until there is one. */
  rowsOf(requestId: string): Promise<UsageRow[]>;
  fetch(path: string, init?: RequestInit & { readonly key?: string | null }): Promise<Response>;
  stop(): Promise<void>;
}

/** A real server in front of an upstream that behaves as it is told, and the official SDKs in front of the server. */
export async function startGateway(
  options: Omit<StartServerOptions, 'config'> & {
    readonly limits?: Record<string, number>;
    readonly providers?: Record<string, object>;
    readonly models?: Record<string, object>;
    /** Default: more than any test asks for in its minute, since all of them come from one address. */
    readonly rateLimits?: Record<string, unknown>;
    readonly prices?: Record<string, object>;
    readonly alerts?: Record<string, unknown>;
  } = {},
): Promise<Gateway> {
  const upstream = await startScriptedUpstream();
  const limits = { connectMs: 2_000, firstTokenMs: 1_000, stallMs: 700, totalMs: 8_000, ...options.limits };
  const server = await startServer({
    ...options,
    config: {
      rateLimits: options.rateLimits ?? roomyRateLimits,
      providers: {
        primary: { kind: 'openai', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-upstream-secret' },
        claude: { kind: 'anthropic', baseUrl: upstream.openaiBaseUrl, apiKey: 'sk-ant-upstream-secret' },
        down: { kind: 'openai', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk-down' },
        lab: { kind: 'sandbox' },
        ...options.providers,
      },
      models: underOneAttempt({
        fast: { targets: ['primary/gpt-4o-mini'], limits },
        smart: { targets: ['claude/claude-sonnet-4-5'], limits },
        embed: { targets: ['primary/text-embedding-3-small'], limits },
        spare: { targets: ['down/x', 'primary/gpt-4o-mini'], limits },
        lonely: { targets: ['down/x'], limits },
        ...options.models,
      }),
      ...(options.prices && { prices: options.prices }),
      ...(options.alerts && { alerts: options.alerts }),
    },
  });
  const call = (path: string, init: RequestInit & { readonly key?: string | null } = {}): Promise<Response> => {
    const { key = server.key, headers, ...rest } = init;
    return fetch(server.url + path, {
      ...rest,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(rest.body !== undefined && { 'content-type': 'application/json' }),
        ...(headers as Record<string, string>),
      },
    });
  };
  return {
    upstream,
    server,
    openai: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: server.key, maxRetries: 0 }),
    anthropic: new Anthropic({ baseURL: server.url, apiKey: server.key, maxRetries: 0 }),
    async rowsOf(requestId) {
      for (let tries = 0; tries < 100; tries++) {
        const page = (await (await call(`/api/usage?request_id=${requestId}`)).json()) as UsagePage;
        if (page.data.length > 0) return page.data.toReversed();
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`no row of request ${requestId} came into the ledger`);
    },
    fetch: call,
    async stop() {
      await server.stop();
      await upstream.close();
    },
  };
}

/**
 * Most tests are about what becomes of one attempt, and fail many of them: what is tried again, and when no more, has tests of
 * its own, and models that say so.
 */
function underOneAttempt(models: Readonly<Record<string, object>>): Record<string, object> {
  const once = { retry: { attempts: 1 }, breaker: { enabled: false } };
  return Object.fromEntries(Object.entries(models).map(([name, model]) => [name, { ...once, ...model }]));
}

/** A request id of a test's own, by which it finds its row. */
let count = 0;
export function requestId(): string {
  return `test-${process.pid}-${++count}`;
}
