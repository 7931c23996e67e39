import { HoldfastError } from '@holdfast/kit/errors';
import { mask } from '@holdfast/kit/privacy';

/** One thing that is wrong with the configuration. Holds no secret: neither the value of one nor what stands in its place. */
export interface ConfigurationFault {
  /** `holdfast.config.yaml:3:5`, `environment LOG_LEVEL`. */
  readonly where: string;
  /** The setting, as it is written in the file: `server.port`. Absent when the fault is of no single one. */
  readonly setting?: string;
  readonly problem: string;
  /** What to do, such as the nearest known name. */
  readonly hint?: string;
}

/** A file of a million unknown keys must not become a message of a million lines. */
const maxFaults = 100;

/** Gathers faults, so that somebody who has made five mistakes reads five lines and not one five times. */
export class FaultList {
  readonly #faults: ConfigurationFault[] = [];
  #dropped = 0;

  get empty(): boolean {
    return this.#faults.length === 0;
  }

  add(fault: ConfigurationFault): void {
    if (this.#faults.length < maxFaults) this.#faults.push(Object.freeze(fault));
    else this.#dropped += 1;
  }

  /** Throws `configuration_invalid` with `details.faults`, and the list for the terminal as its message. */
  throwIfAny(): void {
    if (this.empty) return;
    const count = this.#faults.length + this.#dropped;
    const lines = this.#faults.map((fault) => `  - ${faultLine(fault)}`);
    if (this.#dropped > 0) lines.push(`  - and ${this.#dropped} more`);
    throw new HoldfastError('configuration_invalid', {
      detail: `The configuration has ${count === 1 ? 'a fault' : `${count} faults`}:\n${lines.join('\n')}`,
      details: { faults: Object.freeze([...this.#faults]) },
    });
  }
}

export function faultLine({ where, setting, problem, hint }: ConfigurationFault): string {
  return `${where}: ${setting === undefined ? '' : `${setting}: `}${problem}${hint === undefined ? '' : ` ${hint}`}`;
}

/**
 * A value as it may stand in a fault: short, on one line. Not for secrets, nor for what may have been meant as one; a key that slipped into
 * the wrong line is masked where its form shows what it is.
 */
export function showReceived(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value !== 'string') return JSON.stringify(value) ?? typeof value;
  const masked = mask(value);
  return JSON.stringify(masked.length > 60 ? `${masked.slice(0, 60)}…` : masked);
}

/** A name (a key of the file, a variable) as it may stand in a fault. */
export function showName(name: string): string {
  return /^[\w.:@/+-]{1,80}$/.test(name) ? name : showReceived(name);
}
