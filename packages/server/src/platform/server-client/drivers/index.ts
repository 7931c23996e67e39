export { createServerClient, type ServerClientOptions } from './http-server-client.ts';
