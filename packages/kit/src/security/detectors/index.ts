export type { CountryLookup } from './country-lookup.ts';
export {
  createEndpointScanning,
  endpointScanningDefaults,
  type EndpointScanning,
  type EndpointScanningOptions,
} from './endpoint-scanning.ts';
export type { Finding, FindingKind } from './finding.ts';
export { createKeyGuessing, keyGuessingDefaults, type KeyGuessing, type KeyGuessingOptions } from './key-guessing.ts';
export { OffenceTable } from './offence-table.ts';
export { KnownTable } from './known-table.ts';
export { scannerNamed } from './scanner-agents.ts';
export {
  createSignInGuessing,
  signInGuessingDefaults,
  type SignInAttempt,
  type SignInGuessing,
  type SignInGuessingOptions,
} from './sign-in-guessing.ts';
export { createTravelDetector, travelDefaults, type TravelDetector, type TravelOptions } from './travel.ts';
