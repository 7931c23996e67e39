import process from 'node:process';
import type { Clock, Random } from '@holdfast/kit/time';
import type { FastifyPluginAsync } from 'fastify';
import { createEndpointTester, endpointTestRoutes, type TestKeys } from '../features/health/index.ts';
import { createKeySecret, createThrowAwayOrganizations, type KeyService } from '../features/identity/index.ts';
import { scopes, type Scope } from '../model/index.ts';
import { initiatorOf } from '../entry/http/index.ts';
import { systemItself, type AuditTrail } from '../platform/audit/index.ts';
import type { Database } from '../platform/postgres/index.ts';
import { createRawClient } from '../platform/server-client/index.ts';

export interface EndpointTestsOptions {
  readonly database: Database;
  readonly keys: KeyService;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly random: Random;
  /** Where this server answers. Asked for when a test runs: before that it may not listen. */
  readonly url: () => string;
}

/** Longer than a run may take: what is older is of one that was killed. Its keys have expired by then. */
const keyLifeMs = 10 * 60_000;
const leftoverMs = 15 * 60_000;

/** `POST /api/health/test-endpoints`, and away with what a run of a process that was killed has left. */
export async function openEndpointTests({ database, keys, audit, clock, random, url }: EndpointTestsOptions): Promise<FastifyPluginAsync> {
  const organizations = createThrowAwayOrganizations({ database, clock, random });
  await organizations.removeLeftovers(leftoverMs);

  async function makeOrganization(name: string): Promise<TestKeys> {
    const organizationId = await organizations.create(name);
    const actor = {
      organizationId,
      keyId: undefined,
      scopes: new Set(scopes),
      allowedModels: undefined,
      rateLimits: undefined,
      by: systemItself,
    };
    const expiresAt = new Date(clock.now() + keyLifeMs);
    const key = async (granted: readonly Scope[]) =>
      (await keys.create(actor, { name: 'endpoint test', scopes: granted, expiresAt })).secret;
    try {
      return { organizationId, full: await key(scopes), inference: await key(['inference']), usage: await key(['usage:read']) };
    } catch (error) {
      await organizations.remove(organizationId).catch(() => {});
      throw error;
    }
  }

  const tester = createEndpointTester({
    clock,
    openClient: () => createRawClient({ origin: url(), localAddress: addressOfItsOwn(url(), random) }),
    unknownKey: () => createKeySecret(random),
    makeOrganization,
    removeOrganization: (id) => organizations.remove(id),
    removeLeftovers: () => organizations.removeLeftovers(leftoverMs),
  });
  return endpointTestRoutes({ tester, audit, initiatorOf });
}

/**
 * On Linux all of 127.0.0.0/8 is this machine: an address of its own keeps the refusals of a test out of the limits of a proxy on 127.0.0.1. Elsewhere
 * the limits that it meets are waited for.
 */
function addressOfItsOwn(url: string, random: Random): string | undefined {
  if (new URL(url).hostname !== '127.0.0.1' || process.platform !== 'linux') return undefined;
  const part = (): number => 1 + Math.floor(random.next() * 253);
  return `127.${part()}.${part()}.${part()}`;
}
