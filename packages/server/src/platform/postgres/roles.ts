/**
 * The roles by task. Each is a NOLOGIN role `holdfast_<name>` that the login may become; what each may do is granted in the
 * migrations and checked, table by table, in test/postgres/privileges.test.ts.
 *
 * - `app`: what a request may do once its organization is known; sees the rows of that organization only.
 * - `authenticator`: looks a key up before the organization is known; reads the columns of a check and nothing else.
 * - `writer`: the group commits; inserts, and cannot read what it wrote.
 * - `sequencer`: gives audit events their place.
 * - `identity`: better-auth, which runs its own statements.
 * - `jobs`: recovery and upkeep across organizations.
 * - `operator`: administration of the instance.
 */
export const databaseRoles = ['app', 'authenticator', 'writer', 'sequencer', 'identity', 'jobs', 'operator'] as const;

export type DatabaseRole = (typeof databaseRoles)[number];

export function roleName(role: DatabaseRole): `holdfast_${DatabaseRole}` {
  return `holdfast_${role}`;
}
