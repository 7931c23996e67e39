export { Closers } from './closers.ts';
export { keyCommands, organizationCommands, usageCommand } from './commands.ts';
export { openIdentity } from './identity.ts';
export { openLedger } from './ledger.ts';
export { logAnnouncements } from './log-announcements.ts';
export { openModels } from './models.ts';
export { openOverload } from './overload.ts';
export { openRedis } from './redis.ts';
export { openStorage } from './storage.ts';
