export { keyStatus, type ApiKey, type IssuedKey, type KeyStatus } from './api-key.ts';
export type { KeyAuthenticatorLimits, KeyAuthenticatorOptions } from './authenticator-options.ts';
export { createKeyAuthenticator, type KeyAuthenticator } from './authenticator.ts';
export { bootstrap, type BootstrapOptions, type BootstrapResult } from './bootstrap.ts';
export { createDatabaseKeyDirectory, createDatabaseKeySignal } from './database-key-directory.ts';
export { toKeyBody } from './key-body.ts';
export {
  keyChanged,
  keyRefused,
  organizationChanged,
  upkeepFailed,
  type KeyChanged,
  type OrganizationChanged,
  type KeyRefused,
  type UpkeepFailed,
} from './events.ts';
export type { KeyDirectory } from './key-directory.ts';
export { createKeyAdministration, type KeyAdministration } from './key-administration.ts';
export { createKeySecret, isWellFormedKey } from './key-format.ts';
export {
  createKeyService,
  type KeyActor,
  type KeyService,
  type KeyServiceOptions,
  type NewKey,
  type RotatedKey,
  type Rotation,
} from './key-service.ts';
export { keyRoutes, type KeyRoutesOptions } from './routes.ts';
export { organizationRoutes, type OrganizationRoutesOptions } from './organization-routes.ts';
export { createOrganizationService, type OrganizationService } from './organization-service.ts';
export { createOrganizationStore, type OrganizationStore } from './organization-store.ts';
export { toOrganizationBody, type Organization } from './organization.ts';
export { createThrowAwayOrganizations, type ThrowAwayOrganizations } from './throw-away-organizations.ts';
export { createKeyStore, type KeyPage, type KeyStore } from './store.ts';
