export type { LoadSignal, LoadSignalStatus } from './load-signal.ts';
export {
  createOverloadDetector,
  overloadDefaults,
  type OverloadDetector,
  type OverloadNumbers,
  type OverloadOptions,
} from './overload-detector.ts';
export {
  processSignalDefaults,
  processSignals,
  type ProcessSignalNumbers,
  type ProcessSignalOptions,
  type ProcessSignals,
} from './process-signals.ts';
