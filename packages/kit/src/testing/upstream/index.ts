export type { UpstreamBehaviour } from './behaviour.ts';
export type { UpstreamCall, WaitOptions } from './call-log.ts';
export type { RecordedAnswer } from './record-file.ts';
export { startScriptedUpstream, type ScriptedUpstream, type ScriptedUpstreamOptions } from './scripted-upstream.ts';
export { scriptedPieces, scriptedText } from './scripted-text.ts';
export type { UpstreamScript } from './scripts.ts';
