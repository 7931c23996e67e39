import {
  circuitBreakerList,
  closeCircuitBreakerRequest,
  listCircuitBreakersQuery,
  movedCircuitBreaker,
  openCircuitBreakerRequest,
  type CircuitBreakerListBody,
  type CloseCircuitBreakerRequest,
  type ListCircuitBreakersQuery,
  type MovedCircuitBreakerBody,
  type OpenCircuitBreakerRequest,
} from '@holdfast/contracts';
import type { Clock } from '@holdfast/kit/time';
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { Initiator } from '../../platform/audit/index.ts';
import type { BreakerService, MovedCircuit } from './breaker-service.ts';
import { toCircuitBody } from './circuit-body.ts';

export interface BreakerRoutesOptions {
  readonly service: BreakerService;
  readonly clock: Clock;
  readonly principalOf: (request: FastifyRequest) => Principal;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}

/** `/health/circuit-breakers`, and `/api/circuit-breakers` to move them: for operators. */
export function breakerRoutes({ service, clock, principalOf, initiatorOf }: BreakerRoutesOptions): FastifyPluginAsync {
  const operatorOf = (request: FastifyRequest) => {
    const { keyId, organizationId } = principalOf(request);
    return { keyId, organizationId, by: initiatorOf(request) };
  };
  const moved = ({ circuit, shared }: MovedCircuit): MovedCircuitBreakerBody => ({ ...toCircuitBody(circuit, clock.now()), shared });

  return async (app: FastifyInstance) => {
    app.route({
      method: 'GET',
      url: '/health/circuit-breakers',
      config: { access: 'operator', errors: ['invalid_request'] },
      schema: {
        tags: ['Health'],
        summary: 'Look at the circuit breakers',
        description:
          'Every one of them, as the instance that answers sees it: what it stands on itself first, then the targets of the configuration, then those that clients named.',
        querystring: listCircuitBreakersQuery,
        response: { 200: circuitBreakerList },
      },
      handler: async (request, reply): Promise<CircuitBreakerListBody> => {
        const { state } = request.query as ListCircuitBreakersQuery;
        void reply.header('cache-control', 'no-store');
        const circuits = service.list().filter(({ status }) => state === undefined || status.state === state);
        const now = clock.now();
        return { data: circuits.map((circuit) => toCircuitBody(circuit, now)), next_cursor: null, shared: service.shared };
      },
    });

    app.route({
      method: 'POST',
      url: '/api/circuit-breakers/open',
      config: { access: 'operator', errors: ['resource_not_found', 'conflict'] },
      schema: {
        tags: ['Operations'],
        summary: 'Open a circuit breaker',
        description:
          'Keeps calls away from a target, at every instance: routes go on with their next one. Stays until somebody closes it, or for `for_seconds`. May be repeated.',
        body: openCircuitBreakerRequest,
        response: { 200: movedCircuitBreaker },
      },
      handler: async (request) => {
        const { name, for_seconds } = request.body as OpenCircuitBreakerRequest;
        return moved(await service.open(name, for_seconds, operatorOf(request)));
      },
    });

    app.route({
      method: 'POST',
      url: '/api/circuit-breakers/close',
      config: { access: 'operator', errors: ['resource_not_found', 'conflict'] },
      schema: {
        tags: ['Operations'],
        summary: 'Close a circuit breaker',
        description:
          'Lets calls pass again, at every instance, and counts failures from 0. It opens by itself when they go on. May be repeated.',
        body: closeCircuitBreakerRequest,
        response: { 200: movedCircuitBreaker },
      },
      handler: async (request) => {
        const { name } = request.body as CloseCircuitBreakerRequest;
        return moved(await service.close(name, operatorOf(request)));
      },
    });
  };
}
