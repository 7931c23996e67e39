import {
  AttemptError,
  type AttemptRequest,
  type AttemptResult,
  type AttemptSink,
  type Operation,
  type Provider,
} from '../../spec/index.ts';
import { chat } from './chat.ts';
import { countTokens } from './count-tokens.ts';
import { embeddings } from './embeddings.ts';
import { readModelName } from './model-name.ts';
import { resolveSandboxOptions, type SandboxProviderOptions } from './options.ts';
import { Run } from './run.ts';

const operations: Readonly<Record<Operation, (run: Run) => Promise<AttemptResult>>> = { chat, embeddings, count_tokens: countTokens };

/**
 * A provider inside the process: it needs no key and no network, streams token-sized pieces, reports usage, and fails as
 * it is told. The same request gets the same words.
 *
 * Settings come from `options.settings`, for single models from `options.models`, and in the name of a model, which wins:
 *
 *     demo                                  a sentence, and what the user said
 *     echo                                  what the user said, and nothing else
 *     demo?tokens=50&latencyMs=200&delayMs=20
 *     demo?status=429&retryAfterS=2         also 400, 401, 403, 404, 500, 502, 503, 529; `errorRate=0.1` for one in ten
 *     demo?status=400&reason=context_length or content_filter
 *     demo?cutAfter=10                      breaks off after ten tokens; likewise `stallAfter`, `malformedAfter`
 *     demo?silent=true                      takes the request and never answers
 *     demo?usage=none                       reports no usage
 *
 * Speaks OpenAI's dialect. It also answers `count_tokens`, whose shape is Anthropic's; any other operation in that dialect
 * is `dialect_unsupported`. Attempts reject as those of real providers do: `provider_rate_limited`, `stream_cut`, …; a
 * stalled or silent one ends only by its cancellation. A model name with faults is `invalid_request`.
 *
 * Throws `configuration_invalid` for options with faults.
 */
export function createSandboxProvider(options: SandboxProviderOptions = {}): Provider {
  const { name, clock, random, settingsOf } = resolveSandboxOptions(options);
  return {
    name,
    kind: 'sandbox',
    dialect: 'openai',
    supports: (operation) => Object.hasOwn(operations, operation),
    async attempt(request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult> {
      if (request.dialect !== 'openai' && request.operation !== 'count_tokens') {
        throw new AttemptError('dialect_unsupported', { detail: `the sandbox speaks the openai dialect, not ${request.dialect}` });
      }
      const run = new Run(request, sink, readModelName(request.model, settingsOf), clock, random);
      try {
        return await operations[request.operation](run);
      } catch (thrown) {
        throw run.failure(thrown);
      } finally {
        run.waits.dispose();
      }
    },
    close: () => Promise.resolve(),
  };
}
