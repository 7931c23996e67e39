export { createRawClient, type RawClientOptions } from './http-raw-client.ts';
export { createServerClient, type ServerClientOptions } from './http-server-client.ts';
