export { anthropicToOpenaiFields } from './anthropic-to-openai.ts';
export { checkMembers } from './check-members.ts';
export { Findings, type FieldAtFault } from './findings.ts';
export { openaiToAnthropicFields } from './openai-to-anthropic.ts';
export type { Fate, FieldRow, FieldTable } from './row.ts';
