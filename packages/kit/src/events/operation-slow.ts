import { defineChannel } from './channel.ts';

/** Something took longer than the threshold of its kind. */
export interface OperationSlow {
  /** `request`, `model_call`, `database`, `cache`, or `operation` for what a user of the kit measures. */
  readonly kind: 'request' | 'model_call' | 'database' | 'cache' | 'operation';
  /** What it was, of few: a route with its method, provider and model, a statement's kind and table. Fit for a metric label. */
  readonly name: string;
  readonly durationMs: number;
  readonly thresholdMs: number;
  readonly failed: boolean;
  /** Of the request that it belongs to, where it belongs to one. */
  readonly requestId: string | undefined;
  readonly traceId: string | undefined;
  readonly organizationId: string | undefined;
  readonly userId: string | undefined;
}

export const operationSlow = defineChannel<OperationSlow>('holdfast:performance:operation-slow');
