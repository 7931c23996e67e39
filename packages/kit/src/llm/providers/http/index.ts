export type { HttpAttemptLimits } from './http-attempt.ts';
export { createHttpProvider, type HttpProviderOptions } from './http-provider.ts';
export type { PlainAnswer, UpstreamError, WireProfile } from './wire-profile.ts';
export { codeOfStatus } from './status-code.ts';
export { saysUnsuited } from './unsuited.ts';
