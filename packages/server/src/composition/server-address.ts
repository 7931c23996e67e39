import { HoldfastError } from '@holdfast/kit/errors';
import type { Configuration, Variables } from '../config/index.ts';
import type { ServerClientOptions } from '../platform/server-client/index.ts';

/**
 * Where the server listens and with which key it is asked: as clients are told it (`HOLDFAST_BASE_URL`, `HOLDFAST_API_KEY`), else from the
 * configuration that it is started with, which is not looked at otherwise. Throws `key_missing`, or `server_unreachable` when nothing says where.
 */
export function readServerAddress(configuration: () => Configuration, env: Variables): ServerClientOptions {
  const key = env['HOLDFAST_API_KEY']?.trim();
  if (!key) throw new HoldfastError('key_missing', { detail: 'set HOLDFAST_API_KEY to a key with the scope operator' });
  const base = env['HOLDFAST_BASE_URL']?.trim();
  if (base) {
    if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol))
      throw new HoldfastError('server_unreachable', { detail: 'HOLDFAST_BASE_URL is no address such as http://127.0.0.1:8080' });
    // As SDKs are given it, with the path of the API.
    return { origin: base.replace(/\/+$/, '').replace(/\/v1$/, ''), key };
  }
  const { server } = configuration();
  if (server.port === 0)
    throw new HoldfastError('server_unreachable', { detail: 'the port is 0, so the configuration does not say which it is' });
  const { host } = server;
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  return { origin: `http://${name}:${server.port}`, key };
}
