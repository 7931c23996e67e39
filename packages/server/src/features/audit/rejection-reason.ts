/** Why something in the inbox is no event. */
export const rejectionReasons = ['no_event', 'too_long', 'columns_differ', 'id_taken', 'refused_by_store'] as const;

export type RejectionReason = (typeof rejectionReasons)[number];
