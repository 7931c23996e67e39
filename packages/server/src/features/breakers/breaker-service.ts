import { HoldfastError, isHoldfastError } from '@holdfast/kit/errors';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';
import type { BreakerDirectory, Circuit, MovableBreaker } from './circuit.ts';
import { breakerMoved } from './events.ts';

export interface BreakerServiceOptions {
  readonly models: BreakerDirectory;
  /** What the server itself stands on. Not to be moved by hand: it has to be asked for everything. */
  readonly dependencies: () => readonly Circuit[];
  /** Whether other instances share the states at this moment. */
  readonly isShared: () => boolean;
  readonly audit: Pick<AuditTrail, 'record'>;
}

/** Who asks. */
export interface Operator {
  readonly keyId: string;
  readonly organizationId: string;
  readonly by: Initiator;
}

export interface MovedCircuit {
  readonly circuit: Circuit;
  /** Whether the other instances have been told. When not, they are told as soon as that is possible. */
  readonly shared: boolean;
}

export interface BreakerService {
  readonly shared: boolean;
  list(): readonly Circuit[];
  /** Throws `resource_not_found`, `invalid_request` for one that cannot be moved, `conflict` when other operators move it at the same moment. */
  open(name: string, forSeconds: number | undefined, by: Operator): Promise<MovedCircuit>;
  close(name: string, by: Operator): Promise<MovedCircuit>;
}

export function createBreakerService({ models, dependencies, isShared, audit }: BreakerServiceOptions): BreakerService {
  function find(name: string): MovableBreaker {
    const breaker = models.find(name);
    if (breaker) return breaker;
    if (dependencies().some((circuit) => circuit.name === name)) {
      const message = 'It cannot be opened or closed by hand: the server cannot do without it.';
      throw new HoldfastError('invalid_request', { details: [{ field: 'name', message }] });
    }
    throw new HoldfastError('resource_not_found', { detail: 'no circuit breaker has this name' });
  }

  async function move(breaker: MovableBreaker, done: Promise<void>): Promise<MovedCircuit> {
    let shared = isShared();
    try {
      await done;
    } catch (error) {
      if (isHoldfastError(error) && error.code === 'conflict') throw error;
      // In force here; whoever shares the states tells it to the others when it can.
      shared = false;
    }
    return { circuit: circuitOf(breaker), shared };
  }

  return {
    get shared() {
      return isShared();
    },
    list: () => [...dependencies(), ...models.breakers().map(circuitOf)],
    async open(name, forSeconds, { keyId, organizationId, by }) {
      const breaker = find(name);
      const moved = await move(breaker, breaker.open(forSeconds === undefined ? {} : { recoveryMs: forSeconds * 1_000 }));
      breakerMoved.publish({ name, action: 'open', forSeconds, keyId, organizationId, shared: moved.shared });
      await audit.record({
        type: 'circuit_breaker.opened',
        ...eventOf(name, by),
        details: { for_seconds: forSeconds, shared: moved.shared },
      });
      return moved;
    },
    async close(name, { keyId, organizationId, by }) {
      const breaker = find(name);
      const moved = await move(breaker, breaker.close());
      breakerMoved.publish({ name, action: 'close', forSeconds: undefined, keyId, organizationId, shared: moved.shared });
      await audit.record({ type: 'circuit_breaker.closed', ...eventOf(name, by), details: { shared: moved.shared } });
      return moved;
    },
  };
}

function eventOf(name: string, by: Initiator) {
  return { organizationId: null, by, resource: { type: 'circuit_breaker', id: name } };
}

function circuitOf(breaker: MovableBreaker): Circuit {
  const status = breaker.status();
  return { name: breaker.name, kind: 'model', status: { ...status, settings: status } };
}
