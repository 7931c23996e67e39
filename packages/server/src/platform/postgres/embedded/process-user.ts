import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { HoldfastError } from '@holdfast/kit/errors';

/** The user that PostgreSQL's processes run as. */
export interface ProcessUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export function runsAsRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * PostgreSQL refuses to run as root. No user is ever made for it: an existing `postgres`, else `nobody`.
 * `passwdText` is the text of `/etc/passwd`, the one list that a container without name services has too.
 */
export function findServiceUser(passwdText: string): ProcessUser | undefined {
  const users = parsePasswd(passwdText);
  for (const name of ['postgres', 'nobody']) {
    const user = users.find((entry) => entry.name === name);
    if (user) return user;
  }
  return undefined;
}

/** The user of an existing cluster, which stays its user: PostgreSQL refuses a folder of somebody else. */
export function userOfUid(passwdText: string, uid: number, gid: number): ProcessUser {
  return parsePasswd(passwdText).find((entry) => entry.uid === uid) ?? { name: `uid ${uid}`, uid, gid };
}

function parsePasswd(text: string): ProcessUser[] {
  const users: ProcessUser[] = [];
  for (const line of text.split('\n')) {
    const [name, , uidText, gidText] = line.split(':');
    const uid = Number.parseInt(uidText ?? '', 10);
    const gid = Number.parseInt(gidText ?? '', 10);
    // A second name of root, or macOS's nobody (-2), is no user that PostgreSQL could run as.
    if (name && uid > 0 && gid >= 0) users.push({ name, uid, gid });
  }
  return users;
}

export function readPasswd(path = '/etc/passwd'): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

export function requireServiceUser(passwdText: string): ProcessUser {
  const user = findServiceUser(passwdText);
  if (user) return user;
  throw new HoldfastError('postgres_start_failed', {
    detail:
      'PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody` that it could run as; start as an ordinary user or set DATABASE_URL',
  });
}

/** Whether the system knows a name for the user of this process. `docker run --user 12345` has none. */
export function ownUserHasName(): boolean {
  try {
    userInfo();
    return true;
  } catch {
    return false;
  }
}
