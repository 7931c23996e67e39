import type { Usage } from '../spec/index.ts';
import { readAnthropicUsage } from './anthropic-usage.ts';
import type { StreamEventKind, StreamInspector } from './stream-inspector.ts';

/** What is read of an event. Nothing says that a provider sends these types, so none is believed. */
interface AnthropicEvent {
  type?: unknown;
  message?: { id?: unknown; model?: unknown; usage?: unknown };
  delta?: { stop_reason?: unknown; text?: unknown; partial_json?: unknown; thinking?: unknown };
  usage?: unknown;
  error?: { type?: unknown; message?: unknown };
}

/** Reads the events of the Messages API. */
export class AnthropicInspector implements StreamInspector {
  usage: Usage | undefined;
  finishReason: string | undefined;
  servedModel: string | undefined;
  responseId: string | undefined;
  outputBytes = 0;
  error: { type: string | undefined; message: string | undefined } | undefined;

  inspect(name: string | undefined, data: string | undefined): StreamEventKind {
    if (data === undefined || data === '') return 'noise';
    let event: AnthropicEvent;
    try {
      event = JSON.parse(data) as AnthropicEvent;
    } catch {
      return 'malformed';
    }
    if (typeof event !== 'object' || event === null) return 'malformed';
    switch (event.type ?? name) {
      case 'ping':
        return 'noise';
      case 'message_start':
        this.responseId = textOf(event.message?.id);
        this.servedModel = textOf(event.message?.model);
        this.usage = readAnthropicUsage(event.message?.usage);
        return 'opening';
      case 'content_block_start':
        return 'content';
      case 'content_block_delta': {
        const { delta } = event;
        this.outputBytes += (textOf(delta?.text) ?? textOf(delta?.partial_json) ?? textOf(delta?.thinking) ?? '').length;
        return 'content';
      }
      case 'message_delta':
        this.usage = readAnthropicUsage(event.usage, this.usage);
        if (typeof event.delta?.stop_reason !== 'string') return 'content';
        this.finishReason = event.delta.stop_reason;
        return 'finish';
      case 'message_stop':
        return 'end';
      case 'error':
        this.error = { type: textOf(event.error?.type), message: textOf(event.error?.message) };
        return 'error';
      default:
        // The API's own advice: new event types come, pass what is unknown.
        return 'content';
    }
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
