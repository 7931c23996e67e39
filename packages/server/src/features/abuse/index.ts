export { createAcceptedClients } from './accepted-clients.ts';
export { createBanIds, type BanIds } from './ban-ids.ts';
export { toBanBody } from './ban-body.ts';
export { createClientBans, type ClientBan, type ClientBans, type ClientBansOptions } from './client-bans.ts';
export { createDatabaseBanStore, type DatabaseBanStoreOptions } from './database-ban-store.ts';
export { forwardingIgnored, type ForwardingIgnored } from './events.ts';
export { createRefusalWatch, type RefusalWatchOptions, type RefusedRequest } from './refusal-watch.ts';
export { banRoutes, type BanRoutesOptions } from './routes.ts';
