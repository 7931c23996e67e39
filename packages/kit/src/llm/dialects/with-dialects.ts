import { HoldfastError } from '../../errors/index.ts';
import { Cancellation, createUuidV7 } from '../../time/index.ts';
import {
  AttemptError,
  readShallowBody,
  type AttemptRequest,
  type AttemptResult,
  type AttemptSink,
  type Dialect,
  type Provider,
  type ShallowBody,
} from '../spec/index.ts';
import { anthropicOnOpenai } from './anthropic-on-openai/index.ts';
import { travellingHead, travellingRequestHeaders } from './headers.ts';
import { isObject, parseExact, type JsonObject } from './json/index.ts';
import { malformed, type CallFacts, type Translation } from './mapping/index.ts';
import { openaiOnAnthropic } from './openai-on-anthropic/index.ts';
import { resolveDialectOptions, type DialectOptions } from './options.ts';
import { TranslatingSink } from './translating-sink.ts';

/** By the dialect of the client; the provider's is the other one. */
const translations: Readonly<Record<Dialect, Translation>> = { openai: openaiOnAnthropic, anthropic: anthropicOnOpenai };

/**
 * Lets clients of both dialects call a provider. A call in the provider's own dialect passes untouched, byte for byte; any
 * other is translated there and back. What it asks for and the provider's dialect cannot say is refused with
 * `dialect_unsupported` before anything is sent; an operation that the provider does not support, with
 * `operation_unsupported`. An answer that cannot be translated is `provider_malformed`.
 */
export function withDialects(provider: Provider, options: Partial<DialectOptions> = {}): Provider {
  const settings = resolveDialectOptions(options);
  const newId = createUuidV7(settings.clock, settings.random);

  const attempt = (request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult> => {
    // Embeddings and the counting of tokens have one wire each, whoever offers them: there is nothing to translate.
    const asItIs = request.dialect === provider.dialect || (request.operation !== 'chat' && provider.supports(request.operation));
    return asItIs ? provider.attempt(request, sink) : attemptTranslated(request, sink);
  };

  const attemptTranslated = async (request: AttemptRequest, sink: AttemptSink): Promise<AttemptResult> => {
    if (request.operation !== 'chat') {
      throw new HoldfastError('operation_unsupported', {
        detail: `${request.operation} does not cross from ${request.dialect} to ${provider.dialect}`,
      });
    }
    const translation = translations[request.dialect];
    const inner: AttemptRequest = {
      ...request,
      dialect: provider.dialect,
      body: writeBody(translation.request(request, settings)),
      headers: travellingRequestHeaders(request.headers, request.dialect),
    };
    const facts: CallFacts = { request, createdSeconds: Math.floor(settings.clock.now() / 1000), newId };
    if (request.stream) return attemptStream(provider, inner, sink, translation, facts);
    const result = await provider.attempt(inner, sink);
    return finish(result, () => answerBytes(translation.answer(parseAnswer(result.tail), result, facts)));
  };

  return {
    name: provider.name,
    kind: provider.kind,
    dialect: provider.dialect,
    baseUrl: provider.baseUrl,
    isToldTrace: provider.isToldTrace,
    supports: (operation) => provider.supports(operation),
    attempt,
    close: () => provider.close(),
  };
}

async function attemptStream(
  provider: Provider,
  inner: AttemptRequest,
  sink: AttemptSink,
  translation: Translation,
  facts: CallFacts,
): Promise<AttemptResult> {
  // A cancellation of its own, so that a stream that cannot be translated stops the provider too.
  const cancellation = new Cancellation();
  const unsubscribe = inner.cancellation.onCancel((reason) => cancellation.cancel(reason));
  const translating = new TranslatingSink(sink, translation.stream(facts), (failure) => cancellation.cancel(failure));
  try {
    const result = await provider.attempt({ ...inner, cancellation }, translating);
    return finish(result, () => {
      if (translating.failure) throw translating.failure;
      return translating.end(result);
    });
  } catch (thrown) {
    // The provider may have put its own error around the reason it was stopped for; what the client is told is the reason.
    const { failure } = translating;
    throw failure ? withPartial(failure, thrown instanceof AttemptError ? thrown.partial : undefined) : thrown;
  } finally {
    unsubscribe();
  }
}

/** The result with its translated tail; a translation that fails keeps what was used, since it was paid for. */
function finish(result: AttemptResult, tail: () => Buffer): AttemptResult {
  try {
    return { ...result, head: travellingHead(result.head), tail: tail() };
  } catch (thrown) {
    const { usage, outputBytes, servedModel } = result;
    throw withPartial(thrown, { usage, outputBytes, servedModel });
  }
}

function withPartial(thrown: unknown, partial: AttemptError['partial']): unknown {
  if (!(thrown instanceof HoldfastError) || (thrown instanceof AttemptError && thrown.partial)) return thrown;
  return new AttemptError(thrown.code, { detail: thrown.message, cause: thrown, ...(partial ? { partial } : {}) });
}

/** Deeper than a client may nest: translation adds some levels, and tool arguments unfold from a string. */
const maxTranslatedDepth = 256;

function writeBody(body: JsonObject): ShallowBody {
  return readShallowBody(Buffer.from(JSON.stringify(body)), { maxDepth: maxTranslatedDepth });
}

function parseAnswer(bytes: Buffer): JsonObject {
  let body: unknown;
  try {
    body = parseExact(bytes.toString('utf8'));
  } catch (cause) {
    throw malformed('a body that is not JSON', cause);
  }
  if (!isObject(body)) throw malformed('a body that is no object');
  return body;
}

function answerBytes(body: JsonObject): Buffer {
  try {
    return Buffer.from(JSON.stringify(body));
  } catch (cause) {
    throw malformed('a body that is nested too deeply', cause);
  }
}
