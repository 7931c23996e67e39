export { AnthropicInspector } from './anthropic-inspector.ts';
export { readAnthropicUsage } from './anthropic-usage.ts';
export { readEventFields, type EventFields } from './event-data.ts';
export { EventSplitter } from './event-splitter.ts';
export { OpenaiInspector } from './openai-inspector.ts';
export { readOpenaiUsage } from './openai-usage.ts';
export type { StreamEventKind, StreamInspector } from './stream-inspector.ts';
export { StreamReader, type StreamReaderOptions } from './stream-reader.ts';
