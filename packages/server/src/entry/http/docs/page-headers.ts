/**
 * Policies of the two pages that a browser renders. Scripts come from this server alone and never from the page itself.
 * Styles may be inline, because both viewers write style elements at run time. `connect-src 'self'` lets the page try the
 * API; whatever a viewer has built in of other hosts (a logo, fonts, a validator) is blocked here.
 */
const common = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
];

export const swaggerUiPolicy = common.join('; ');

/** ReDoc searches in a worker that it makes from a blob. */
export const redocPolicy = [...common, 'worker-src blob:'].join('; ');
