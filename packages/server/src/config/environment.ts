import path from 'node:path';
import { HoldfastError } from '@holdfast/kit/errors';
import { reasonOf } from './secret-file.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The variables of the process and, below them, those of `.env` in `cwd` when there is one. For `main.ts` alone: it changes
 * `process.env`. Nothing else in Holdfast reads the environment.
 */
export function readEnvironment(cwd: string): Variables {
  const envFile = path.join(cwd, '.env');
  try {
    process.loadEnvFile(envFile);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      const fault = { where: '.env', problem: `the file cannot be read: ${reasonOf(cause)}.` };
      throw new HoldfastError('configuration_invalid', {
        detail: `The configuration has a fault:\n  - ${fault.where}: ${fault.problem}`,
        details: { faults: [fault] },
      });
    }
  }
  return { ...process.env };
}

/** What the client's side of Holdfast is called in the same shell: no setting of the server, and no fault. */
const clientNames: ReadonlySet<string> = new Set(['HOLDFAST_API_KEY', 'HOLDFAST_BASE_URL']);

export function isForClients(name: string): boolean {
  return clientNames.has(name);
}

/**
 * What Kubernetes injects for a service called `holdfast` or `holdfast-…` (a Helm release): `HOLDFAST_SERVICE_HOST`,
 * `HOLDFAST_PORT=tcp://…`, `HOLDFAST_PORT_8080_TCP_ADDR`, `HOLDFAST_WEB_SERVICE_PORT_HTTP`. Not ours, and no fault.
 */
export function isInjectedByCluster(name: string, value: string): boolean {
  if (/^HOLDFAST_(?:SERVICE|PORT)_/.test(name)) return true;
  if (/^HOLDFAST_\w+_SERVICE_(?:HOST|PORT(?:_\w+)?)$/.test(name)) return true;
  if (/^HOLDFAST_\w+_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/.test(name)) return true;
  return /^HOLDFAST_(?:\w+_)?PORT$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value);
}

/** Where the system keeps sockets of this user; undefined where it says nothing of it. */
export function readRuntimeDir(): string | undefined {
  return process.env['XDG_RUNTIME_DIR'] || undefined;
}
