import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify';
import {
  chatCompletion,
  chatCompletionRequest,
  countTokensAnswer,
  countTokensRequest,
  embeddingList,
  embeddingRequest,
  messagesAnswer,
  messagesRequest,
  modelEntry as modelEntrySchema,
  modelList as modelListSchema,
} from '@holdfast/contracts';
import { HoldfastError, type ErrorCode } from '@holdfast/kit/errors';
import type { Dialect, Operation } from '@holdfast/kit/llm';
import type { Clock } from '@holdfast/kit/time';
import type { ZodType } from 'zod';
import type { CallNext, ListedModel, ModelCatalog } from '../../model/index.ts';
import { modelEntry, modelList } from './models-answer.ts';
import { serveCall } from './serve-call.ts';

export interface GatewayOptions {
  readonly pipeline: CallNext;
  /** The models in force at this moment. */
  readonly listModels: ModelCatalog['list'];
  readonly clock: Clock;
  readonly createId: () => string;
  /** Deepest JSON that a body may hold. */
  readonly maxDepth: number;
}

interface CallRoute {
  readonly path: string;
  readonly operation: Operation;
  readonly dialect: Dialect;
  readonly summary: string;
  readonly description: string;
  readonly request: ZodType;
  readonly answer: ZodType;
}

const callRoutes: readonly CallRoute[] = [
  {
    path: '/chat/completions',
    operation: 'chat',
    dialect: 'openai',
    summary: 'Chat completion',
    description: 'OpenAI’s chat completions, whole or streamed. Reaches providers of either dialect.',
    request: chatCompletionRequest,
    answer: chatCompletion,
  },
  {
    path: '/embeddings',
    operation: 'embeddings',
    dialect: 'openai',
    summary: 'Embeddings',
    description: 'OpenAI’s embeddings.',
    request: embeddingRequest,
    answer: embeddingList,
  },
  {
    path: '/messages',
    operation: 'chat',
    dialect: 'anthropic',
    summary: 'Message',
    description: 'Anthropic’s messages, whole or streamed. Reaches providers of either dialect.',
    request: messagesRequest,
    answer: messagesAnswer,
  },
  {
    path: '/messages/count_tokens',
    operation: 'count_tokens',
    dialect: 'anthropic',
    summary: 'Count the tokens of a prompt',
    description: 'Anthropic’s token count. Uses nothing and costs nothing.',
    request: countTokensRequest,
    answer: countTokensAnswer,
  },
];

const callErrors: readonly ErrorCode[] = [
  'invalid_json',
  'invalid_request',
  'body_too_deep',
  'body_too_large',
  'content_type_unsupported',
  'model_not_found',
  'model_not_allowed',
  'rate_limited',
  'limiter_unavailable',
  'operation_unsupported',
  'dialect_unsupported',
  'provider_rejected_request',
  'context_length_exceeded',
  'content_filtered',
  'provider_rate_limited',
  'provider_auth_failed',
  'provider_unreachable',
  'provider_connect_timeout',
  'provider_failed',
  'provider_overloaded',
  'provider_malformed',
  'provider_too_large',
  'first_token_timeout',
  'stream_stalled',
  'stream_cut',
  'call_timeout',
  'ledger_unavailable',
];

/** The OpenAI- and Anthropic-shaped face of the model pipeline, mounted under `/v1`. */
export function gatewayRoutes(options: GatewayOptions): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    for (const route of callRoutes) {
      app.route({
        method: 'POST',
        url: route.path,
        config: { access: 'inference', errors: callErrors },
        schema: {
          tags: ['Models'],
          summary: route.summary,
          description: route.description,
          body: route.request,
          response: { 200: route.answer },
        },
        handler: serveCall(options, {
          operation: route.operation,
          dialect: route.dialect,
          schema: route.request,
          maxDepth: options.maxDepth,
        }),
      });
    }
    addModelRoutes(app, options);
  };
}

function addModelRoutes(app: FastifyInstance, { listModels, clock }: GatewayOptions): void {
  const startedAt = clock.now();
  const visible = (request: FastifyRequest): ListedModel[] => {
    const { allowedModels } = request.principal!;
    return listModels().filter((model) => !allowedModels || allowedModels.has(model.id));
  };
  app.route({
    method: 'GET',
    url: '/models',
    config: { access: 'inference' },
    schema: {
      tags: ['Models'],
      summary: 'List the models',
      description: 'The models of the configuration that the key may ask for. `provider/model` names work without being listed.',
      response: { 200: modelListSchema },
    },
    handler: async (request) => modelList(visible(request), startedAt),
  });
  app.route({
    method: 'GET',
    // A name may hold slashes: provider/model.
    url: '/models/*',
    config: { access: 'inference', errors: ['model_not_found'] },
    schema: {
      tags: ['Models'],
      summary: 'Show a model',
      description: 'One model of the configuration.',
      response: { 200: modelEntrySchema },
    },
    handler: async (request) => {
      const name = (request.params as { '*': string })['*'];
      const model = visible(request).find((each) => each.id === name);
      if (!model) throw new HoldfastError('model_not_found');
      return modelEntry(model, startedAt);
    },
  });
}
