export type { CheckValues, CheckValueStore } from './check-value.ts';
export { createDatabaseCheckValues } from './database-check-values.ts';
export { createKeyRing, type KeyRing } from './key-ring.ts';
export type { MasterKey } from './master-key.ts';
export { openKeyRing, type OpenKeyRingOptions } from './open-key-ring.ts';
export { sealValue, unsealValue, type SealOptions } from './sealed.ts';
