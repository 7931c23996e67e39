export { addBans } from './bans.ts';
export { addBreakers } from './breakers.ts';
export { addConfig } from './config.ts';
export { addKeys } from './keys.ts';
export { addLimits } from './limits.ts';
export { addOrganizations } from './organizations.ts';
export { addServe } from './serve.ts';
export { addUsage } from './usage.ts';
