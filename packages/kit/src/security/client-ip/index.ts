export type { ClientIp, ForwardingFault } from './client-ip.ts';
export { createClientIpResolver, type ClientIpResolver, type ForwardedRequest } from './client-ip-resolver.ts';
export { clientIpDefaults, type ClientIpOptions, type ForwardingHeader } from './options.ts';
