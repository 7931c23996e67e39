import { readBehaviourOfName, type UpstreamBehaviour } from './behaviour.ts';
import type { UpstreamCall } from './call-log.ts';

/** A behaviour for every call, a list used up one by one (the last stays), or a choice made for each call. */
export type UpstreamScript = UpstreamBehaviour | readonly UpstreamBehaviour[] | ((call: UpstreamCall) => UpstreamBehaviour);

const maxNames = 1_000;

/** Decides how a call is answered: what was queued, else the script of its model, else what the model name says. */
export class Scripts {
  readonly #byModel = new Map<string, UpstreamScript>();
  readonly #byName = new Map<string, UpstreamBehaviour>();
  #queue: UpstreamBehaviour[] = [];

  get models(): readonly string[] {
    return [...this.#byModel.keys()];
  }

  set(model: string, script: UpstreamScript): void {
    this.#byModel.set(model, Array.isArray(script) ? [...(script as readonly UpstreamBehaviour[])] : script);
  }

  enqueue(behaviours: readonly UpstreamBehaviour[]): void {
    this.#queue.push(...behaviours);
  }

  clear(): void {
    this.#byModel.clear();
    this.#queue = [];
  }

  choose(call: UpstreamCall): UpstreamBehaviour {
    const queued = this.#queue.shift();
    if (queued) return queued;
    const model = call.model ?? '';
    const script = this.#byModel.get(model);
    if (script === undefined) return this.#named(model);
    if (typeof script === 'function') return script(call);
    if (!Array.isArray(script)) return script as UpstreamBehaviour;
    const list = script as UpstreamBehaviour[];
    return (list.length > 1 ? list.shift() : list[0]) ?? {};
  }

  /** Kept, so that the events built for a behaviour are found again. */
  #named(model: string): UpstreamBehaviour {
    let behaviour = this.#byName.get(model);
    if (!behaviour) {
      behaviour = readBehaviourOfName(model);
      if (this.#byName.size < maxNames) this.#byName.set(model, behaviour);
    }
    return behaviour;
  }
}
