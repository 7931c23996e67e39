import { HoldfastError } from '../../../errors/index.ts';

export interface FieldAtFault {
  /** `messages[2].content[0].type` */
  readonly field: string;
  readonly message: string;
}

/** More would help nobody, and the list goes into an answer. */
const maxListed = 50;

/** Collects every field at fault, so that a client learns of all of them at once. */
export class Findings {
  readonly #unsupported: FieldAtFault[] = [];
  readonly #invalid: FieldAtFault[] = [];

  /** The field has no counterpart in the other dialect. */
  unsupported(field: string, message: string): void {
    if (this.#unsupported.length < maxListed) this.#unsupported.push({ field, message });
  }

  /** The field is wrong in the client's own dialect. */
  invalid(field: string, message: string): void {
    if (this.#invalid.length < maxListed) this.#invalid.push({ field, message });
  }

  /** Throws `invalid_request` or `dialect_unsupported` with the fields in `details`. */
  throwIfAny(): void {
    if (this.#invalid.length > 0) throw new HoldfastError('invalid_request', { details: this.#invalid });
    if (this.#unsupported.length > 0) throw new HoldfastError('dialect_unsupported', { details: this.#unsupported });
  }
}
