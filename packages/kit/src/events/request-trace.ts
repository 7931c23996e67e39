/**
 * Where a request stands in a trace. Made at the door while tracing is on; everybody else hands it on and reads it. It says who the
 * request is to whoever builds spans: ids of requests are the client's to choose, and may be shared by two of them.
 */
export interface RequestTrace {
  /** 32 lower-case hex digits: the caller's, or made here. */
  readonly traceId: string;
  /** Of the request's own span: 16 lower-case hex digits. */
  readonly spanId: string;
  /** Decided at the door to be kept. One that is not may still be, for how it ends. */
  readonly sampled: boolean;
  /** Whether what was said in calls of models is to be noted: switched on by the operator, and masked before it leaves. */
  readonly wantsContent: boolean;
  /** An id for a span that has to be known before it ends: one whose context is sent on. */
  newSpanId(): string;
}
