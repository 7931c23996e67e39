export { createServerClient, type ServerClientOptions } from './drivers/index.ts';
export type { ServerClient } from './server-client.ts';
