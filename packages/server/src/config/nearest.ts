import { distance } from 'fastest-levenshtein';

/** `Did you mean x?` for a name that is a few letters off a known one; undefined when nothing is near. */
export function nearestHint(name: string, known: Iterable<string>): string | undefined {
  const nearest = nearestName(name, known);
  return nearest === undefined ? undefined : `Did you mean ${nearest}?`;
}

export function nearestName(name: string, known: Iterable<string>): string | undefined {
  // The distance costs the product of the lengths; no known name is anywhere near this long.
  if (name.length > 100) return undefined;
  const asked = normalise(name);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const d = isTransposed(asked, normalise(candidate)) ? 1 : distance(asked, normalise(candidate));
    if (d < bestDistance) [best, bestDistance] = [candidate, d];
  }
  // A third of the letters may differ: more, and the hint would send people to a setting that has nothing to do with theirs.
  return bestDistance <= Math.max(1, Math.floor(name.length / 3)) ? best : undefined;
}

/** Two letters swapped (`prot`): the most usual slip, which the distance counts as two. */
function isTransposed(a: string, b: string): boolean {
  if (a.length !== b.length || a === b) return false;
  let at = 0;
  while (a[at] === b[at]) at += 1;
  return a[at] === b[at + 1] && a[at + 1] === b[at] && a.slice(at + 2) === b.slice(at + 2);
}

/** snake_case and kebab-case are the usual slip in a file of camelCase names. */
function normalise(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}
