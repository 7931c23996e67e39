import { readFileSync } from 'node:fs';

/** Of the package, which lies one folder above both the sources and what is built of them. */
export const version: string = (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
