import { listDefaults, listedFromShare, type ListedBucket, type ListOptions } from './driver.ts';

const maxListed = 1_000;

/** The fullest of many, without keeping more than are asked for. */
export function fullest(all: Iterable<ListedBucket>, options: ListOptions = {}): ListedBucket[] {
  const limit = Math.min(Math.max(1, Math.floor(options.limit ?? listDefaults.limit)), maxListed);
  let best: ListedBucket[] = [];
  for (const bucket of all) {
    if (options.policy !== undefined && bucket.policy !== options.policy) continue;
    if (share(bucket) < listedFromShare) continue;
    best.push(bucket);
    if (best.length >= 4 * limit) best = cut(best, limit);
  }
  return cut(best, limit);
}

function cut(buckets: ListedBucket[], limit: number): ListedBucket[] {
  return buckets.sort((a, b) => share(b) - share(a) || compare(a.policy, b.policy) || compare(a.key, b.key)).slice(0, limit);
}

function share({ used, capacity }: ListedBucket): number {
  return used / capacity;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
