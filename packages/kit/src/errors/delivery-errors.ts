import type { ErrorRow } from './error-row.ts';

/** What was to be told or handed to somebody outside and was not taken. No client is ever answered with these. */
export const deliveryErrors = {
  delivery_failed: {
    category: 'external_service',
    message: 'A receiver outside could not be reached. It is tried again.',
    help: 'The object store, the webhook or the folder to which checkpoints of the audit log are published did not answer, or answered that it cannot now. Told by `holdfast audit checkpoint publish`, in the log and in the metrics, never to clients.',
  },
  delivery_refused: {
    category: 'external_service',
    retryable: false,
    message: 'A receiver outside refused what it was sent. Check its address and its key.',
    help: 'The object store or the webhook to which checkpoints of the audit log are published answered that the same would be refused again: a wrong key, region or address, a bucket that is not there. Told by `holdfast audit checkpoint publish`, in the log and in the metrics, never to clients.',
  },
} as const satisfies Record<string, ErrorRow>;
