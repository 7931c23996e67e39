import type { Clock } from '../../../time/index.ts';
import { HoldfastError } from '../../../errors/index.ts';
import type { AttemptRequest, AttemptResult, AttemptSink, Provider } from '../../spec/index.ts';
import type { Transport } from '../../transport/index.ts';
import { CredentialTurns } from './credential-turns.ts';
import { HttpAttempt, type HttpAttemptLimits } from './http-attempt.ts';
import type { WireProfile } from './wire-profile.ts';

export interface HttpProviderOptions {
  /** The name in the configuration; the first part of `provider/model`. */
  readonly name: string;
  readonly kind: string;
  /** Such as `https://api.openai.com/v1`, without a slash at the end. */
  readonly baseUrl: string;
  /** Used in turn, those that were refused for a model set aside for a minute; may be empty for a server that asks for none. */
  readonly apiKeys: readonly string[];
  readonly transport: Transport;
  readonly clock: Clock;
  readonly limits?: Partial<HttpAttemptLimits>;
  /** Sends the trace context of each attempt (`traceparent`), so that what the provider does hangs below it. Default false: our ids are nobody's business. */
  readonly traceContext?: boolean;
}

export const httpAttemptDefaults: HttpAttemptLimits = Object.freeze({
  maxAnswerBytes: 64 * 1024 * 1024,
  maxEventBytes: 4 * 1024 * 1024,
});

/** A provider reached over HTTP whose wire is described by a profile. */
export function createHttpProvider(options: HttpProviderOptions, profile: WireProfile): Provider {
  const url = new URL(options.baseUrl);
  const basePath = url.pathname.replace(/\/$/, '');
  const limits = { ...httpAttemptDefaults, ...options.limits };
  const credentials = (options.apiKeys.length > 0 ? options.apiKeys : [undefined]).map((key) => ({
    'content-type': 'application/json',
    'user-agent': 'holdfast',
    // Asked for as it is: to unpack and pack again would cost more than it saves on the way between two data centres.
    'accept-encoding': 'identity',
    ...profile.headers,
    ...(key !== undefined && profile.authorization(key)),
  }));
  const turns = new CredentialTurns(credentials.length, options.clock);

  function headersFor(request: AttemptRequest, credential: number): Record<string, string> {
    const headers: Record<string, string> = {
      ...credentials[credential]!,
      accept: request.stream ? 'text/event-stream' : 'application/json',
    };
    for (const name of profile.forwardedHeaders) {
      const value = request.headers[name];
      if (value !== undefined) headers[name] = value;
    }
    if (request.traceparent !== undefined) headers['traceparent'] = request.traceparent;
    return headers;
  }

  return {
    name: options.name,
    kind: options.kind,
    dialect: profile.dialect,
    baseUrl: options.baseUrl,
    isToldTrace: options.traceContext ?? false,
    supports: (operation) => profile.path(operation) !== undefined,
    attempt(request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult> {
      const path = profile.path(request.operation);
      if (path === undefined)
        return Promise.reject(new HoldfastError('operation_unsupported', { detail: `${options.kind} has no ${request.operation}` }));
      return new Promise((resolve, reject) => {
        const { bytes, dropUsageEvents } = profile.body(request);
        const credential = turns.next(request.model);
        const attempt = new HttpAttempt({
          profile,
          request,
          sink,
          limits,
          dropUsageEvents,
          clock: options.clock,
          apiKeys: options.apiKeys,
          credentialRefused: () => turns.refused(credential, request.model),
          resolve,
          reject,
        });
        attempt.begin(
          options.transport.send(
            { origin: url.origin, method: 'POST', path: basePath + path, headers: headersFor(request, credential), body: bytes },
            attempt,
          ),
        );
      });
    },
    close: async () => {},
  };
}
