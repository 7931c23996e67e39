import type { RequestTrace } from '../../events/index.ts';
import type { CallTraced } from '../../llm/spec/index.ts';
import type { Span } from './span.ts';
import type { TraceIds } from './trace-ids.ts';
import type { TraceParent } from './trace-parent.ts';

/** What is kept of a request, or of a job, until it ends and it is known whether anybody will want it. */
export class TracedRequest implements RequestTrace {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly wantsContent: boolean;
  /** Whose trace it continues. */
  readonly parent: TraceParent | undefined;
  /** Whose trace it is linked to. */
  readonly linked: TraceParent | undefined;
  readonly traceState: string | undefined;
  /** Calls of models that ended in it. */
  readonly calls: CallTraced[] = [];
  /** Spans that were ready before it ended. */
  spans: Span[] = [];
  /** Something in it failed. */
  failed = false;
  state: 'running' | 'kept' | 'dropped' = 'running';
  readonly #ids: TraceIds;

  constructor(options: {
    readonly traceId: string;
    readonly sampled: boolean;
    readonly wantsContent: boolean;
    readonly parent?: TraceParent | undefined;
    readonly linked?: TraceParent | undefined;
    readonly traceState?: string | undefined;
    readonly ids: TraceIds;
  }) {
    this.#ids = options.ids;
    this.traceId = options.traceId;
    this.spanId = options.ids.spanId();
    this.sampled = options.sampled;
    this.wantsContent = options.wantsContent;
    this.parent = options.parent;
    this.linked = options.linked;
    this.traceState = options.traceState;
  }

  newSpanId(): string {
    return this.#ids.spanId();
  }

  /** A span of this trace. Below the request's own span when no other parent is named. */
  span(
    of: Pick<Span, 'name' | 'kind' | 'startMs' | 'endMs' | 'attributes' | 'failed'> & {
      readonly spanId?: string;
      readonly parentSpanId?: string;
    },
  ): Span {
    return {
      traceId: this.traceId,
      spanId: of.spanId ?? this.#ids.spanId(),
      parentSpanId: of.parentSpanId ?? this.spanId,
      hasRemoteParent: false,
      traceState: this.traceState,
      sampled: this.sampled,
      name: of.name,
      kind: of.kind,
      startMs: of.startMs,
      endMs: of.endMs,
      attributes: of.attributes,
      failed: of.failed,
      link: undefined,
    };
  }

  /** The span that all others hang below. */
  root(of: Pick<Span, 'name' | 'kind' | 'startMs' | 'endMs' | 'attributes' | 'failed'>): Span {
    const { parent, linked } = this;
    return {
      ...this.span({ ...of, spanId: this.spanId }),
      parentSpanId: parent?.spanId,
      hasRemoteParent: parent !== undefined,
      link: linked && { traceId: linked.traceId, spanId: linked.spanId },
    };
  }
}
