export * from './characters.ts';
export { speaksOfCard, speaksOfPhone, speaksOfReference, speaksOfSsn, speaksOfVersion, wordsBefore } from './context.ts';
export { isPlaceholder, placeholderOf } from './placeholder.ts';
export { isSecretName } from './secret-name.ts';
