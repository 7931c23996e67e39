export { createOpenaiProvider, openaiKinds, type OpenaiKind, type OpenaiProviderOptions } from './openai-provider.ts';
