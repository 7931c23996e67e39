import { HoldfastError } from '@holdfast/kit/errors';
import { readShallowBody, type Dialect, type Operation, type ShallowBody } from '@holdfast/kit/llm';
import type { ZodType } from 'zod';
import { checkedPart } from './checked-part.ts';

/** What the gateway reads of a body; everything else in it is the provider's to judge. */
export interface ReadCall {
  readonly body: ShallowBody;
  readonly model: string;
  readonly stream: boolean;
  readonly endUser: string | undefined;
  readonly feature: string | undefined;
}

export interface CallShape {
  readonly operation: Operation;
  readonly dialect: Dialect;
  readonly schema: ZodType;
  readonly maxDepth: number;
}

/** Smaller bodies are checked as they are: they cannot hold enough faults to matter. */
const smallBytes = 64 * 1024;

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Throws `invalid_json`, `body_too_deep`, `body_too_large` or `invalid_request`. */
export function readCall(bytes: Buffer | undefined, headers: Headers, shape: CallShape): ReadCall {
  const body = readShallowBody(bytes ?? Buffer.alloc(0), { maxDepth: shape.maxDepth });
  const parsed = shape.schema.safeParse(body.bytes.length <= smallBytes ? body.value : checkedPart(body.value));
  if (!parsed.success) {
    throw new HoldfastError('invalid_request', {
      details: parsed.error.issues.slice(0, 20).map((issue) => ({ field: issue.path.join('.'), message: issue.message })),
    });
  }
  const { value } = body;
  return {
    body,
    model: value['model'] as string,
    stream: value['stream'] === true,
    endUser: single(headers['x-holdfast-user']) ?? endUserOf(value),
    feature: single(headers['x-holdfast-feature']) ?? text(metadataOf(value)['feature']),
  };
}

/** OpenAI's `user` and its successor, or Anthropic's `metadata.user_id`. */
function endUserOf(value: Readonly<Record<string, unknown>>): string | undefined {
  return text(value['user']) ?? text(value['safety_identifier']) ?? text(metadataOf(value)['user_id']);
}

function metadataOf(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { metadata } = value as { metadata?: unknown };
  return typeof metadata === 'object' && metadata !== null ? (metadata as Record<string, unknown>) : {};
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function single(value: string | string[] | undefined): string | undefined {
  return text(Array.isArray(value) ? value[0] : value);
}
