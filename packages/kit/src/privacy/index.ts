export { sensitiveTypes, type Finding, type SensitiveType } from './finding.ts';
export { createIpPseudonyms, type IpPseudonyms, type IpPseudonymsOptions } from './ip-pseudonyms.ts';
export { createMasker, findSensitive, mask, objectBoundsDefaults, type LineMasker, type Masker, type ObjectBounds } from './mask/index.ts';
export { maskingDefaults, type MaskingOptions } from './options.ts';
