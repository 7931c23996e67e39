export { abuseDetected, type AbuseDetected } from './announcements.ts';
export {
  abuseWatchDefaults,
  createAbuseWatch,
  type AbuseWatch,
  type AbuseWatchOptions,
  type CredentialState,
  type RefusedKey,
  type UnansweredRequest,
  type WatchedSignIn,
} from './abuse-watch.ts';
export { networkDefaults, type NetworkOptions } from './network-watch.ts';
