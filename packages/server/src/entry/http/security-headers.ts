/**
 * On every response, also on those that are written past Fastify. The policy allows nothing at all, because an API answers
 * nothing that a browser should render; the pages of the documentation have policies of their own.
 *
 * A frozen record rather than a plugin: the gateway's raw path writes headers in one call and cannot run hooks.
 * `x-xss-protection: 0` is today's advice: the old filters that 1 switches on can be abused.
 */
export const securityHeaders = Object.freeze({
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '0',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
});

/** The same as name, value, name, value, …: the form that `raw.writeHead` takes fastest. */
export const securityHeaderList: readonly string[] = Object.freeze(Object.entries(securityHeaders).flat());
