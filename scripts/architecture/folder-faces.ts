import { dirname } from 'node:path/posix';

// The import rules that a pair of regular expressions cannot say.

export interface Import {
  readonly from: string;
  readonly to: string;
}

export const folderFaceAdvice =
  "Across folders only through index.ts: a folder's other files are private and may change. Import its index, and export there what you need.";

/**
 * Whether a source file imports a file of another folder that is not that folder's index.ts. Its own folder and those
 * above it are free: a file knows the room that it stands in. Tests are free too, within their package.
 */
export function reachesIntoFolder({ from, to }: Import): boolean {
  const source = /^packages\/[^/]+\/src\//;
  if (!source.test(from) || !source.test(to) || /\.test\.tsx?$/.test(from)) return false;
  if (/\/index\.tsx?$/.test(to) || to.endsWith('.json')) return false;
  return !`${dirname(from)}/`.startsWith(`${dirname(to)}/`);
}

export const layerAdvice =
  'A layer in llm/layers joins one module of floor 1 with llm/spec, so that each can be left out. Split it into two layers.';

/** Layers that import more than one module of floor 1. */
export function layersThatJoinSeveral(imports: readonly Import[]): Import[] {
  const joined = new Map<string, Set<string>>();
  for (const { from, to } of imports) {
    const layer = /^packages\/kit\/src\/llm\/layers\/[^/]+/.exec(from)?.[0];
    const module = /^packages\/kit\/src\/(?:resilience|ratelimit|cache|privacy|security|audit|health)\b/.exec(to)?.[0];
    if (layer && module && !/\.test\.tsx?$/.test(from)) joined.set(layer, (joined.get(layer) ?? new Set()).add(module));
  }
  return [...joined].filter(([, modules]) => modules.size > 1).map(([layer, modules]) => ({ from: layer, to: [...modules].join(', ') }));
}
