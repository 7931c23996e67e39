export { createFakeClock, type FakeClock, type FakeClockOptions } from './fake-clock.ts';
export { createSeededRandom } from './seeded-random.ts';
export {
  scriptedPieces,
  scriptedText,
  startScriptedUpstream,
  type RecordedAnswer,
  type ScriptedUpstream,
  type ScriptedUpstreamOptions,
  type UpstreamBehaviour,
  type UpstreamCall,
  type UpstreamScript,
  type WaitOptions,
} from './upstream/index.ts';
