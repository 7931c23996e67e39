export { readCertificateExpiry, type CertificateExpiryOptions } from './certificate-expiry.ts';
