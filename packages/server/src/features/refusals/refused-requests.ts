import type { ErrorCode } from '@holdfast/kit/errors';
import type { AuditTrail, Initiator, NewAuditEvent } from '../../platform/audit/index.ts';
import type { FloodGate } from './flood-gate.ts';

/** A request that was answered with an error, as far as the audit log wants to know of it. */
export interface RefusedRequest {
  readonly code: ErrorCode;
  /** Why its key was refused, also when a limit on requests was what it was told. */
  readonly keyFault: ErrorCode | undefined;
  /** Of a call of a model, whose layers tell of it. */
  readonly isModelCall: boolean;
  readonly method: string;
  /** The pattern of the route; undefined for what is none. */
  readonly route: string | undefined;
  /** Without its query. */
  readonly path: string;
  readonly organizationId: string | undefined;
  /** What limits and bans go by. */
  readonly clientKey: string;
  readonly initiator: Initiator;
}

export interface RefusedRequestsOptions {
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly gate: FloodGate;
  /** To which organization belongs what a route names by an id, and what it is; undefined when it is nobody's, or of no organization at all. */
  readonly ownerOf: (route: string, id: string) => Promise<{ readonly organizationId: string; readonly type: string } | undefined>;
}

/** Refusals of a good key for one reason that are told one by one in a minute. */
const toldOneByOne = 10;
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** What a good key is denied. */
const denials: ReadonlySet<ErrorCode> = new Set(['scope_missing', 'resource_not_found', 'model_not_allowed']);

/**
 * Tells the audit log of requests that were refused for who sent them, or for what they asked for. Nobody waits for it: an answer is a refusal
 * whether or not it is recorded, and a flood of them must not wait for the database.
 */
export function createRefusedRequests({ audit, gate, ownerOf }: RefusedRequestsOptions): (request: RefusedRequest) => void {
  async function tellForeign(request: RefusedRequest, route: string, id: string): Promise<void> {
    const owner = await ownerOf(route, id).catch(() => undefined);
    if (owner === undefined || owner.organizationId === request.organizationId) return;
    await audit.record({
      type: 'access.foreign',
      outcome: 'denied',
      organizationId: null,
      by: request.initiator,
      resource: { type: owner.type, id },
      details: { method: request.method, route, organization_id: owner.organizationId, by_organization_id: request.organizationId },
    });
  }

  return (request) => {
    const type = typeOf(request);
    if (type === undefined) return;
    const { initiator, route, method, organizationId, path } = request;
    const code = type === 'authentication.failed' ? (request.keyFault ?? request.code) : request.code;
    const id = type === 'access.denied' ? uuid.exec(path)?.[0].toLowerCase() : undefined;
    const event: NewAuditEvent = {
      type,
      outcome: 'denied',
      organizationId: type === 'access.denied' || type === 'request.limited' ? (organizationId ?? null) : null,
      by: initiator,
      resource: { type: 'route', id: route },
      details: { code, method, id },
    };
    const { actor } = initiator;
    const source = `${type} ${code} ${actor.id ?? request.clientKey}`;
    if (!gate.admit(source, type === 'access.denied' ? toldOneByOne : 1, event)) return;
    void audit.record(event);
    if (code === 'resource_not_found' && route !== undefined && id !== undefined) void tellForeign(request, route, id);
  };
}

function typeOf({ code, keyFault, isModelCall, organizationId }: RefusedRequest): NewAuditEvent['type'] | undefined {
  if (code === 'address_banned') return 'ban.enforced';
  if (keyFault !== undefined) return 'authentication.failed';
  if (isModelCall) return undefined;
  if (code === 'rate_limited') return 'request.limited';
  return organizationId !== undefined && denials.has(code) ? 'access.denied' : undefined;
}
