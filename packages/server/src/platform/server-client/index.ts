export { createRawClient, createServerClient, type RawClientOptions, type ServerClientOptions } from './drivers/index.ts';
export type { RawAnswer, RawClient, RawRequest } from './raw-client.ts';
export type { ServerClient } from './server-client.ts';
