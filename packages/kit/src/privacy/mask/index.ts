export { type LineMasker } from './line-masker.ts';
export { objectBoundsDefaults, type ObjectBounds } from './mask-object.ts';
export { createMasker, findSensitive, mask, type Masker } from './masker.ts';
