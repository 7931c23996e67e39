/** Where whole objects are put under a name: S3, or what speaks as it does. */
export interface ObjectStore {
  /**
   * Puts an object that is not there yet. `'present'` when there is one under this name already, which is left as it is. May be repeated. Rejects
   * with `delivery_failed` when it may help to try again, and with `delivery_refused` when not.
   */
  putNew(object: NewObject, context: { readonly signal: AbortSignal }): Promise<'created' | 'present'>;
}

export interface NewObject {
  /** Segments with slashes between them: `checkpoints/1`. */
  readonly key: string;
  readonly body: string;
  readonly contentType: string;
}
