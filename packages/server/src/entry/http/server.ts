import cors from '@fastify/cors';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from '@fastify/type-provider-zod';
import { HoldfastError } from '@holdfast/kit/errors';
import { headerFields } from '@holdfast/kit/ratelimit';
import { createClientIpResolver, type ClientIp, type ClientIpResolver } from '@holdfast/kit/security';
import type { Clock } from '@holdfast/kit/time';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  type RawServerDefault,
} from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { portFaultReason } from '../port-fault.ts';
import { enforceAccess, type Authenticate } from './access.ts';
import { noteAllowedMethods } from './allowed-methods.ts';
import { keepJsonBodies, parseJsonBodies } from './body-parsers.ts';
import { bannedError, refuseBanned, type BanCheck } from './ban-check.ts';
import { createClientErrorHandler } from './client-error.ts';
import { Connections } from './connections.ts';
import { describeApi } from './docs/index.ts';
import { drainAndClose, type DrainOptions, type DrainResult } from './drain.ts';
import { createErrorHandler, createFrameworkErrorHandler, refuseUnknownRoute, setUnknownRouteHandler } from './error-handler.ts';
import { decorateRawHeaders } from './raw-headers.ts';
import { decorateRequests } from './request-context.ts';
import { createRequestIdReader } from './request-id.ts';
import type { Refusal } from './refusal.ts';
import { limitStepOf, unlimited, type RequestLimits } from './request-limits.ts';
import { RequestTracker, type BeginTrace, type RequestRecorder } from './request-tracker.ts';
import { runInTrace } from './run-in-trace.ts';
import { securityHeaders } from './security-headers.ts';
import { isForOperators, shedError, type OverloadGate } from './shedding.ts';

export interface HttpServerOptions {
  readonly clock: Clock;
  /** Makes request ids, and ids of refusals that have no request. */
  readonly createId: () => string;
  readonly authenticate: Authenticate;
  /** Who sent a request. Default: whoever is at the other end of the connection, whatever the headers say. */
  readonly clientIp?: ClientIpResolver;
  /** What announcements of requests, and so logs and traces, have for a client. Default: `[ip]` for everybody. */
  readonly nameClient?: (client: ClientIp) => string;
  /** Who is refused for whom they are. Default: nobody. */
  readonly bans?: BanCheck;
  /** Called for each request whose key is good: on the path of every call, so it MUST be cheap, and MUST NOT throw. */
  readonly onAuthenticated?: (client: ClientIp) => void;
  /** Called for each request that is answered with an error, unless its route writes that by itself. MUST NOT throw. */
  readonly onRefusal?: (refusal: Refusal) => void;
  /** Who keeps a record of every request. Default: nobody. */
  readonly recorder?: RequestRecorder | undefined;
  /** Default: requests are not limited. */
  readonly limits?: RequestLimits | undefined;
  /** Default: requests are not traced, and nothing is done for it. */
  readonly beginTrace?: BeginTrace | undefined;
  /** The version of Holdfast, for the API description. */
  readonly version: string;
  /** Larger bodies are refused with 413. Default 32 MiB. */
  readonly maxBodyBytes?: number;
  /** JSON nested deeper is refused before it is parsed. Default 64. */
  readonly maxDepth?: number;
  /** Origins whose pages may read answers. Default none; `*` allows all. */
  readonly corsOrigins?: readonly string[];
  /** Headers must have arrived within this time of the connection or the request before. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** Headers and body must have arrived within this time. Default 60,000. */
  readonly requestTimeoutMs?: number;
  /** An idle connection is kept this long: longer than a load balancer's 60 s, or it would reuse one that is closing. Default 72,000. */
  readonly keepAliveTimeoutMs?: number;
  /** How often the two limits above are looked at. Default 1,000. */
  readonly timeoutCheckMs?: number;
}

export const httpServerDefaults = Object.freeze({
  maxBodyBytes: 32 * 1024 * 1024,
  maxDepth: 64,
  corsOrigins: Object.freeze([]) as readonly string[],
  maxHeaderBytes: 16 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  keepAliveTimeoutMs: 72_000,
  timeoutCheckMs: 1_000,
});

/** A Fastify instance whose schemas are zod's. */
export type HttpApp = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>;

export interface HttpServer {
  /** Where features add their routes, before it listens. */
  readonly app: HttpApp;
  /** Adds routes under `/v1`: their bodies are Buffers, checked for content type and size and otherwise left alone. */
  addGateway(routes: FastifyPluginAsync): void;
  readonly draining: boolean;
  readonly inFlight: number;
  readonly openConnections: number;
  /** Returns the address that it listens on. `port` 0 takes any free one. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly host: string; readonly port: number }>;
  /** Refuses requests for as long as the gate says so, all but those for health and metrics. Before it listens. */
  shedBy(gate: OverloadGate): void;
  /** Refuses what is new, lets what is there end, closes. Repeating it returns the same promise. */
  drain(options: DrainOptions): Promise<DrainResult>;
}

/**
 * The door: everything between the socket and a route. Request id and client → CORS → bans → unknown routes, draining and overload → access →
 * limits on requests → body limits, in this order; whatever is refused is answered in the shape of its route, with all headers that a success would have.
 */
export async function createHttpServer(given: HttpServerOptions): Promise<HttpServer> {
  const options = { ...httpServerDefaults, ...given };
  const { clock, bans } = options;
  const connections = new Connections(options.clientIp ?? createClientIpResolver());
  const tracker = new RequestTracker(clock, connections, options.nameClient ?? (() => '[ip]'), options.beginTrace, options.recorder);
  const handleError = createErrorHandler({ clock, onRefusal: options.onRefusal });
  const limitUnknown = limitStepOf(options.limits, { methods: [], path: undefined, access: 'public' }) ?? unlimited;
  let draining: Promise<DrainResult> | undefined;
  let gate: OverloadGate | undefined;

  const app = Fastify({
    logger: false,
    trustProxy: false,
    genReqId: createRequestIdReader(options.createId),
    requestIdHeader: false,
    // Those that it would make by itself are 110 modules for JSON Schema, which nobody here uses: schemas are zod's.
    schemaController: {
      compilersFactory: { buildValidator: () => validatorCompiler as never, buildSerializer: () => serializerCompiler as never },
    },
    bodyLimit: options.maxBodyBytes,
    requestTimeout: options.requestTimeoutMs,
    keepAliveTimeout: options.keepAliveTimeoutMs,
    return503OnClosing: false,
    http: {
      maxHeaderSize: httpServerDefaults.maxHeaderBytes,
      headersTimeout: options.headersTimeoutMs,
      connectionsCheckingInterval: options.timeoutCheckMs,
      // Node would answer a missing host by itself, without our headers; the first hook does it instead.
      requireHostHeader: false,
    },
    clientErrorHandler: createClientErrorHandler(options),
    frameworkErrors: createFrameworkErrorHandler(
      handleError,
      (request, reply) => {
        tracker.open(request, reply);
        const ban = bans?.check(request.client);
        return ban && bannedError(ban);
      },
      limitUnknown,
    ),
  }).withTypeProvider<ZodTypeProvider>();

  connections.watch(app.server);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(handleError);
  setUnknownRouteHandler(app);
  decorateRequests(app);
  decorateRawHeaders(app, () => draining !== undefined);
  parseJsonBodies(app, options.maxDepth);

  app.addHook('onRequest', (request, reply, done) => {
    tracker.open(request, reply);
    done();
  });
  // Before all that can refuse: a refusal must carry CORS headers too, or a browser hides it from its page.
  if (options.corsOrigins.length > 0) await app.register(cors, corsOptions(options.corsOrigins));
  const allowedMethods = noteAllowedMethods(app);
  enforceAccess(app, options.authenticate, options.limits, options.onAuthenticated);
  const comeIn = (request: FastifyRequest, reply: FastifyReply, done: (refusal?: Error) => void): void => {
    if (request.raw.headers.host === undefined && request.raw.httpVersion === '1.1')
      return limitUnknown(request, reply, (refusal) => done(refusal ?? new HoldfastError('malformed_http', { detail: 'no host header' })));
    if (request.is404)
      return limitUnknown(request, reply, (refusal) => done(refusal ?? refuseUnknownRoute(request, reply, allowedMethods)));
    const url = request.routeOptions.url ?? '';
    if (draining && isCall(url)) return done(new HoldfastError('draining', { retryAfterSeconds: 1 }));
    if (gate && !isForOperators(url)) return done(shedError(gate));
    done();
  };
  app.addHook('onRequest', (request, reply, done) => {
    const ban = bans?.check(request.client);
    if (ban === undefined || isForOperators(request.routeOptions.url ?? '')) return comeIn(request, reply, done);
    refuseBanned(ban, request, (refusal) => (refusal ? done(refusal) : comeIn(request, reply, done)));
  });
  if (options.beginTrace) app.addHook('preHandler', runInTrace);
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.headers(securityHeaders).header('x-request-id', request.id);
    if (request.rateLimitDecision !== null) reply.headers(headerFields(request.rateLimitDecision));
    if (draining) reply.header('connection', 'close');
    done(null, payload);
  });
  // After the hooks: its pages replace a header that the hook above sets for all.
  await describeApi(app, { version: options.version });

  return {
    app,
    addGateway(routes) {
      void app.register(
        async (scope) => {
          keepJsonBodies(scope as FastifyInstance);
          // The gateway reads its bodies itself; here schemas only describe.
          scope.setValidatorCompiler(() => () => true);
          scope.setSerializerCompiler(() => (data) => JSON.stringify(data));
          await scope.register(routes);
        },
        { prefix: '/v1' },
      );
    },
    shedBy(given) {
      gate = given;
    },
    get draining() {
      return draining !== undefined;
    },
    get inFlight() {
      return tracker.inFlight;
    },
    get openConnections() {
      return connections.count;
    },
    async listen({ host, port }) {
      await app.ready();
      options.limits?.refuseUnknownEndpoints();
      try {
        await app.listen({ host, port });
      } catch (cause) {
        throw portFault(cause, host, port);
      }
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? { host: address.address, port: address.port } : { host, port };
    },
    drain(drainOptions) {
      return (draining ??= Promise.resolve().then(() =>
        drainAndClose({ app: app as unknown as FastifyInstance, tracker, connections, clock }, drainOptions),
      ));
    },
  };
}

/** What keeps a server from its address, in one line; anything else is returned as it came. */
function portFault(cause: unknown, host: string, port: number): unknown {
  const reason = portFaultReason((cause as NodeJS.ErrnoException).code);
  return reason === undefined ? cause : new HoldfastError('port_unusable', { detail: `${host}:${port}: ${reason}`, cause });
}

/** Calls are turned away while draining; health and metrics go on to the end. */
function isCall(url: string): boolean {
  return (url.startsWith('/v1') || url.startsWith('/api')) && !isForOperators(url);
}

function corsOptions(origins: readonly string[]) {
  return {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: [
      'x-holdfast-provider-request-id',
      'x-request-id',
      'request-id',
      'retry-after',
      'ratelimit',
      'ratelimit-policy',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'x-should-retry',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'x-ratelimit-reset',
      'ratelimit',
      'ratelimit-policy',
      'x-holdfast-provider',
      'x-holdfast-model',
      'x-holdfast-attempts',
      'x-holdfast-overhead-ms',
    ],
    maxAge: 600,
    strictPreflight: false,
  };
}
