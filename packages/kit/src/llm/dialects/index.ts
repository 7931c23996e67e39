export {
  anthropicToOpenaiFields,
  openaiToAnthropicFields,
  type Fate,
  type FieldAtFault,
  type FieldRow,
  type FieldTable,
} from './fields/index.ts';
export { dialectDefaults, type DialectOptions } from './options.ts';
export { withDialects } from './with-dialects.ts';
