export { readDataUrl, writeDataUrl, type MediaData } from './data-url.ts';
export { toFinishReason, toStopReason, type Ending } from './finish-reasons.ts';
export { portableToolId, portableUserId } from './identifiers.ts';
export { malformed } from './malformed.ts';
export { toInputSchema } from './tool-schema.ts';
export type { CallFacts, RequestSettings, StreamTranslation, Translation } from './translation.ts';
export { writeAnthropicMessageUsage, writeAnthropicUsage, writeOpenaiUsage } from './usage.ts';
