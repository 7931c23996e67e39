import { HoldfastError } from '@holdfast/kit/errors';
import { databaseRoles, type DatabaseRole } from './roles.ts';

/** What no role goes without. The writer has two: the ledger keeps one for good, and the sign of life of the instance needs another. */
const least = (role: DatabaseRole): number => (role === 'writer' ? 2 : 1);

/** What each role gets of the connections that are left then. Requests need the most. */
const weights: Readonly<Record<DatabaseRole, number>> = Object.freeze({
  app: 8,
  identity: 3,
  jobs: 3,
  writer: 3,
  authenticator: 2,
  operator: 1,
  sequencer: 1,
});

/** The connection that listens for notifications. */
const reservedConnections = 1;

export const minConnections = databaseRoles.reduce((sum, role) => sum + least(role), reservedConnections);

/**
 * Shares of a ceiling over all pools, by role; with the listening connection their sum is never above it.
 * Pools cannot lend to each other, so that a burst of requests never starves the writer that completes them.
 */
export function poolShares(maxConnections: number): Readonly<Record<DatabaseRole, number>> {
  if (!Number.isInteger(maxConnections) || maxConnections < minConnections) {
    throw new HoldfastError('configuration_invalid', {
      detail: `maxConnections is ${maxConnections}`,
      details: [`POSTGRES_MAX_CONNECTIONS must be a whole number of at least ${minConnections}, not ${maxConnections}`],
    });
  }
  const spare = maxConnections - minConnections;
  const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
  const share = (role: DatabaseRole) => least(role) + Math.floor((spare * weights[role]) / total);
  return Object.freeze(Object.fromEntries(databaseRoles.map((role) => [role, share(role)])) as Record<DatabaseRole, number>);
}
