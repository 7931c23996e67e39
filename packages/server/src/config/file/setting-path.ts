import { showName } from '../faults.ts';

export type SettingPath = readonly (string | number)[];

/** `providers.primary.apiKeyEnv`, `models."gpt-3.5".targets[0]`. */
export function pathToText(path: SettingPath): string {
  let result = '';
  for (const segment of path) {
    if (typeof segment === 'number') result += `[${segment}]`;
    else result += `${result === '' ? '' : '.'}${/^[\w-]+$/.test(segment) ? showName(segment) : JSON.stringify(segment.slice(0, 60))}`;
  }
  return result;
}
