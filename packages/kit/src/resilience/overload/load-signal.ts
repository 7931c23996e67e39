import { checkFunction, checkNumber, optionFault } from '../check-options.ts';

/** A number that says how loaded the process is, and where too much begins. */
export interface LoadSignal {
  /** `event_loop_delay`: in snake case, for metrics and logs. */
  readonly name: string;
  /** Read once a sample, and at every request when it is `instant`. */
  readonly read: () => number;
  /** Beyond this the process is overloaded. */
  readonly limit: number;
  /** Below this it is not any more; between the two everything stays as it is. Default 80 % of the limit. */
  readonly relief?: number;
  /** In how many of the last four samples it has to be beyond the limit before an overload begins, 1 to 4. Default 1. */
  readonly sightings?: number;
  /** Shed everything from the first moment and not a part: for what ends the process when it goes on. Default false. */
  readonly urgent?: boolean;
  /** Runs away between two samples and costs nothing to read: each request that finds it beyond the limit is shed. Default false. */
  readonly instant?: boolean;
}

/** A signal as it was last seen. */
export interface LoadSignalStatus {
  readonly name: string;
  readonly value: number;
  readonly limit: number;
  /** A reason why requests are shed now. */
  readonly overloaded: boolean;
}

/** Throws `configuration_invalid`. */
export function checkSignal(signal: LoadSignal): Required<LoadSignal> {
  const { name, limit, read } = signal;
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) throw optionFault('the name of a load signal', 'in snake_case', name);
  checkNumber(`the limit of ${name}`, limit, { min: Number.MIN_VALUE });
  checkFunction(`read of ${name}`, read);
  const relief = checkNumber(`the relief of ${name}`, signal.relief ?? limit * 0.8, { max: limit });
  const sightings = checkNumber(`sightings of ${name}`, signal.sightings ?? 1, { min: 1, max: 4, whole: true });
  return { name, read, limit, relief, sightings, urgent: signal.urgent ?? false, instant: signal.instant ?? false };
}
