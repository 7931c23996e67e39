import { markedByMember, type ApiDocument, type DescribedRoute } from './described-routes.ts';
import { knownNumbers, type Marks } from './marks.ts';

export interface HostileRequest {
  /** What is wrong with it, for the failure of a test. */
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Undefined: that of the caller. */
  readonly key?: string | null;
}

/** Headers that clients, proxies and tracers send, each with a mark. What may stand in a header only: no line ends, Latin-1. */
export function markedHeaders(marks: Marks, from: string): Record<string, string> {
  const header = (name: string) => marks.everything(`header ${name} of ${from}`);
  return {
    'user-agent': header('user-agent'),
    referer: header('referer'),
    origin: header('origin'),
    cookie: `session=${header('cookie')}`,
    'proxy-authorization': header('proxy-authorization'),
    'x-forwarded-for': knownNumbers.ipv4,
    'x-real-ip': knownNumbers.ipv6,
    'x-forwarded-host': header('x-forwarded-host'),
    'openai-organization': header('openai-organization'),
    'openai-project': header('openai-project'),
    'anthropic-beta': header('anthropic-beta'),
    'idempotency-key': header('idempotency-key'),
    'x-holdfast-feature': marks.secrets(`header x-holdfast-feature of ${from}`),
    'x-holdfast-user': marks.secrets(`header x-holdfast-user of ${from}`),
    traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    tracestate: `vendor=${marks.secrets(`header tracestate of ${from}`)}`,
    baggage: `user=${marks.word(`header baggage of ${from}`)}`,
    'accept-language': header('accept-language'),
    'x-unknown': header('x-unknown'),
  };
}

/** What nobody wrote a drive for: everything that can be wrong with a request of a route, with marks wherever its sender may write. */
export function hostileRequests(document: ApiDocument, route: DescribedRoute, marks: Marks): HostileRequest[] {
  const { method, name } = route;
  const encode = (text: string) => encodeURIComponent(text);
  // A path is written down, masked, because it is what an operator looks for when it does not exist.
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => encode(marks.secrets(`path ${parameter} of ${name}`)));
  const query = [...route.parameters.filter((each) => each.in === 'query').map((each) => each.name), 'unknown']
    .map((parameter) => `${parameter}=${encode(marks.everything(`query ${parameter} of ${name}`))}`)
    .join('&');
  const json = { 'content-type': 'application/json' };
  const requests: Omit<HostileRequest, 'method' | 'headers'>[] & { headers?: never }[] = [];
  const add = (
    what: string,
    rest: { path: string; body?: string; headers?: Record<string, string>; key?: string | null; method?: string },
  ): void =>
    void (requests as unknown[]).push({
      what: `${name}: ${what}`,
      method,
      ...rest,
      headers: { ...markedHeaders(marks, `${name}, ${what}`), ...rest.headers },
    });

  add('marks in path and query', { path: `${path}?${query}` });
  add('a key that nobody has', { path, key: `hf_${marks.word(`key of ${name}`)}` });
  add('a key in another header', { path, key: null, headers: { 'x-api-key': marks.word(`x-api-key of ${name}`) } });
  add('a password for a key', { path, key: null, headers: { authorization: `Basic ${marks.word(`basic of ${name}`)}` } });
  add('another method', { path: `${path}?${query}`, method: 'PUT', body: marks.everything(`body of PUT ${name}`), headers: json });
  add('a path below it', { path: `${path}/${encode(marks.secrets(`path below ${name}`))}?${query}` });
  if (route.body) {
    const body = (what: string) => marks.everything(`${what} of ${name}`);
    add('every member a mark', {
      path,
      headers: json,
      body: JSON.stringify(markedByMember(document, route.body.schema, marks, `body of ${name}`)),
    });
    add('a body that is a text', { path, headers: json, body: JSON.stringify(body('text for a body')) });
    add('broken JSON', { path, headers: json, body: `{"model":"${body('broken JSON')}","x":` });
    add('no JSON', { path, headers: json, body: body('no JSON') });
    add('another type', { path, headers: { 'content-type': `text/${marks.word(`content-type of ${name}`)}` }, body: body('other type') });
    add('too deep', { path, headers: json, body: `${'{"a":'.repeat(80)}"${body('deep')}"${'}'.repeat(80)}` });
    add('a member twice', { path, headers: json, body: `{"model":"${body('first')}","model":"${body('second')}"}` });
  }
  return requests as unknown as HostileRequest[];
}
