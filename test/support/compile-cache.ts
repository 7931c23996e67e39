import { resolve } from 'node:path';

/**
 * For the environment of processes that tests start from source: what Node strips of types and compiles is kept, where the server
 * keeps its own, and a start takes a quarter of the time.
 */
export const compileCache = {
  NODE_COMPILE_CACHE: resolve(import.meta.dirname, '../../node_modules/.cache/holdfast-compiled'),
};
