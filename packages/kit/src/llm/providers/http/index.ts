export type { HttpAttemptLimits } from './http-attempt.ts';
export { createHttpProvider, httpAttemptDefaults, type HttpProviderOptions } from './http-provider.ts';
export { maskReason } from './mask-reason.ts';
export { readRetryAfterSeconds } from './retry-after.ts';
export type { PlainAnswer, UpstreamError, WireProfile } from './wire-profile.ts';
export { codeOfStatus } from './status-code.ts';
