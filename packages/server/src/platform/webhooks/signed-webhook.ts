/** A receiver of signed messages. */
export interface SignedWebhook {
  /**
   * POSTs the message as JSON. `id` is the same when it is sent again, so that a receiver knows it. Rejects with `delivery_failed` when it may help
   * to try again, and with `delivery_refused` when not.
   */
  send(message: { readonly id: string; readonly body: object }, context: { readonly signal: AbortSignal }): Promise<void>;
}
