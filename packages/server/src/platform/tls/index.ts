export { readCertificateExpiry, type CertificateExpiryOptions } from './drivers/index.ts';
