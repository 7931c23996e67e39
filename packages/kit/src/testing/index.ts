export { createFakeClock, type FakeClock, type FakeClockOptions } from './fake-clock.ts';
export { createSeededRandom } from './seeded-random.ts';
export {
  createSimulation,
  exploreSchedules,
  type Explored,
  type ExploreOptions,
  type SimulatedFaults,
  type SimulatedProcess,
  type Simulation,
  type SimulationOptions,
} from './simulation/index.ts';
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
