export { placeEvents, type PlaceOptions } from './place-events.ts';
export { AuditSequencer, type SequencerOptions, type SequencerState } from './sequencer.ts';
export {
  countedWaiting,
  type LogGrowth,
  type LogSurvey,
  type Maintained,
  type PlacedBatch,
  type PlacedLeaf,
  type SequencerSession,
  type WaitingEvent,
} from './session.ts';
