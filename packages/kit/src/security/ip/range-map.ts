import type { IpAddress } from './ip-address.ts';
import { IpRange } from './ip-range.ts';

interface Node<Value> {
  readonly range: IpRange;
  /** Undefined where two branches part and nothing was set. */
  value: Value | undefined;
  zero: Node<Value> | undefined;
  one: Node<Value> | undefined;
}

/**
 * Values by range, found by address: a binary tree of prefixes in which every node that holds no value has two branches (Morrison's
 * PATRICIA). A look-up takes as many steps as ranges nest and part on the way, 128 at the very most whatever an attacker had put in, and
 * allocates nothing. Rejected: `node:net`'s BlockList, which forgets nothing it was told, and ipaddr.js, 0.6 µs for reading one address.
 */
export class RangeMap<Value extends object | string | number | boolean> {
  #root: Node<Value> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The value of the range that covers the address and that `accept` takes, the widest first. */
  find(address: IpAddress, accept: (value: Value) => boolean): Value | undefined {
    let node = this.#root;
    while (node !== undefined && commonBits(node.range.first, address) >= node.range.length) {
      if (node.value !== undefined && accept(node.value)) return node.value;
      if (node.range.length === 128) return undefined;
      node = bitAt(address, node.range.length) === 0 ? node.zero : node.one;
    }
    return undefined;
  }

  covers(address: IpAddress): boolean {
    return this.#size !== 0 && this.find(address, always) !== undefined;
  }

  get(range: IpRange): Value | undefined {
    let node = this.#root;
    while (node !== undefined && node.range.length < range.length && node.range.contains(range.first)) node = branch(node, range);
    return node !== undefined && same(node.range, range) ? node.value : undefined;
  }

  set(range: IpRange, value: Value): void {
    let parent: Node<Value> | undefined;
    let node = this.#root;
    while (node !== undefined && node.range.length < range.length && node.range.contains(range.first)) {
      parent = node;
      node = branch(node, range);
    }
    if (node !== undefined && same(node.range, range)) {
      if (node.value === undefined) this.#size += 1;
      node.value = value;
      return;
    }
    this.#size += 1;
    const added: Node<Value> = { range, value, zero: undefined, one: undefined };
    if (node === undefined) {
      this.#attach(parent, added);
      return;
    }
    const common = Math.min(commonBits(node.range.first, range.first), node.range.length, range.length);
    const fork: Node<Value> =
      common === range.length ? added : { range: new IpRange(range.first, common), value: undefined, zero: undefined, one: undefined };
    attachTo(fork, node);
    if (fork !== added) attachTo(fork, added);
    this.#attach(parent, fork);
  }

  delete(range: IpRange): boolean {
    let above: Node<Value> | undefined;
    let parent: Node<Value> | undefined;
    let node = this.#root;
    while (node !== undefined && node.range.length < range.length && node.range.contains(range.first)) {
      above = parent;
      parent = node;
      node = branch(node, range);
    }
    if (node === undefined || node.value === undefined || !same(node.range, range)) return false;
    this.#size -= 1;
    node.value = undefined;
    if (node.zero !== undefined && node.one !== undefined) return true;
    this.#replace(parent, node, node.zero ?? node.one);
    // What only parted two branches of which one is gone now has nothing left to do.
    if (parent !== undefined && parent.value === undefined && (parent.zero === undefined || parent.one === undefined))
      this.#replace(above, parent, parent.zero ?? parent.one);
    return true;
  }

  clear(): void {
    this.#root = undefined;
    this.#size = 0;
  }

  *entries(): IterableIterator<readonly [IpRange, Value]> {
    const waiting = this.#root === undefined ? [] : [this.#root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      if (node.value !== undefined) yield [node.range, node.value];
      if (node.one !== undefined) waiting.push(node.one);
      if (node.zero !== undefined) waiting.push(node.zero);
    }
  }

  #attach(parent: Node<Value> | undefined, node: Node<Value>): void {
    if (parent === undefined) this.#root = node;
    else attachTo(parent, node);
  }

  #replace(parent: Node<Value> | undefined, node: Node<Value>, by: Node<Value> | undefined): void {
    if (parent === undefined) this.#root = by;
    else if (parent.zero === node) parent.zero = by;
    else parent.one = by;
  }
}

const always = () => true;

function attachTo<Value>(parent: Node<Value>, node: Node<Value>): void {
  if (bitAt(node.range.first, parent.range.length) === 0) parent.zero = node;
  else parent.one = node;
}

function branch<Value>(node: Node<Value>, range: IpRange): Node<Value> | undefined {
  return bitAt(range.first, node.range.length) === 0 ? node.zero : node.one;
}

function same(one: IpRange, other: IpRange): boolean {
  return one.length === other.length && one.first.equals(other.first);
}

function bitAt(address: IpAddress, index: number): number {
  const word = index < 64 ? (index < 32 ? address.a : address.b) : index < 96 ? address.c : address.d;
  return (word >>> (31 - (index & 31))) & 1;
}

/** How many bits two addresses share from the start: 128 when they are the same. */
function commonBits(one: IpAddress, other: IpAddress): number {
  if (one.a !== other.a) return Math.clz32(one.a ^ other.a);
  if (one.b !== other.b) return 32 + Math.clz32(one.b ^ other.b);
  if (one.c !== other.c) return 64 + Math.clz32(one.c ^ other.c);
  if (one.d !== other.d) return 96 + Math.clz32(one.d ^ other.d);
  return 128;
}
