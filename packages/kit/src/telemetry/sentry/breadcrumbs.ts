/** Something that happened before an error: for the whole process, or for one request. */
export interface Crumb {
  /** `breaker`, `redis`, `attempt`, … */
  readonly category: string;
  readonly message: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly data?: Readonly<Record<string, unknown>> | undefined;
  /** Of one request; otherwise of all. */
  readonly requestId?: string | undefined;
}

/** The last that happened, of everything: bounded, and looked through only when something is reported. */
export class Breadcrumbs {
  readonly #max: number;
  readonly #crumbs: (Crumb & { readonly atMs: number })[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  add(crumb: Crumb, atMs: number): void {
    this.#crumbs.push({ ...crumb, atMs });
    if (this.#crumbs.length > this.#max) this.#crumbs.shift();
  }

  /** Those of the process and of this request, oldest first. */
  of(requestId: string | undefined): readonly (Crumb & { readonly atMs: number })[] {
    return this.#crumbs.filter((crumb) => crumb.requestId === undefined || crumb.requestId === requestId);
  }
}
