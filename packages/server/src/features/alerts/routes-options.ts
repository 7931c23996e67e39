import type { AlertTestResultsBody } from '@holdfast/contracts';
import type { AlertStore, AlertWatch } from '@holdfast/kit/alerts';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../model/index.ts';
import type { AuditTrail, Initiator } from '../../platform/audit/index.ts';

export interface AlertRoutesOptions {
  readonly watch: Pick<AlertWatch, 'rules' | 'channels' | 'acknowledge' | 'silence' | 'endSilence' | 'silences'>;
  readonly store: Pick<AlertStore, 'listAlerts' | 'findAlert' | 'listDeliveries'>;
  readonly enabled: boolean;
  readonly intervalMs: number;
  readonly test: (channel: string | undefined) => Promise<AlertTestResultsBody>;
  readonly now: () => number;
  readonly audit: Pick<AuditTrail, 'record'>;
  readonly principalOf: (request: FastifyRequest) => Principal;
  readonly initiatorOf: (request: FastifyRequest) => Initiator;
}
