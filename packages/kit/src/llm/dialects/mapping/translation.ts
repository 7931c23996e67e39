import type { AttemptRequest, AttemptResult } from '../../spec/index.ts';
import type { JsonObject } from '../json/index.ts';

/** What a translation knows of the call that it serves. */
export interface CallFacts {
  readonly request: AttemptRequest;
  /** Unix seconds. */
  readonly createdSeconds: number;
  /** Makes an id where the provider gave none. */
  readonly newId: () => string;
}

/** The settings that a request's translation needs. */
export interface RequestSettings {
  readonly defaultMaxTokens: number;
  readonly maxTokensField: 'max_completion_tokens' | 'max_tokens';
}

/** Translates the answers of one stream; one object a stream. Both return whole events, '' for none. */
export interface StreamTranslation {
  /** Takes one event of the provider. Throws a HoldfastError when the stream cannot be understood. */
  event(event: JsonObject): string;
  /** The provider is done: what the client still has to be told. */
  end(result: AttemptResult): string;
}

/** One direction: a client of one dialect at a provider of the other. */
export interface Translation {
  /** The provider's body. Throws `dialect_unsupported` or `invalid_request` with the fields in `details`. */
  request(request: AttemptRequest, settings: RequestSettings): JsonObject;
  /** The client's body of a plain answer. Throws `provider_malformed`. */
  answer(body: JsonObject, result: AttemptResult, facts: CallFacts): JsonObject;
  stream(facts: CallFacts): StreamTranslation;
}
