import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { ConfigurationFile } from './configuration-file.ts';
import { parseYaml, YamlFault } from './parse-yaml.ts';
import type { FaultList } from '../faults.ts';
import { reasonOf } from '../secret-file.ts';
import type { Variables } from '../environment.ts';

const maxFileBytes = 524_288;

/** Names that are looked for in the working directory when `HOLDFAST_CONFIG` does not name a file. */
const defaultNames = ['holdfast.config.yaml', 'holdfast.config.yml', 'holdfast.config.json'];

export interface FileReading {
  /** Undefined when there is none, and when it cannot be read. */
  readonly file: ConfigurationFile | undefined;
  /** There is one and what it says is not known: nothing can be called missing or unknown then. */
  readonly unreadable: boolean;
}

/** Looks for the configuration file and parses it. What is wrong with it goes to `faults`. */
export function readConfigurationFile(options: { env: Variables; cwd: string; faults: FaultList }): FileReading {
  const { env, cwd, faults } = options;
  const asked = env['HOLDFAST_CONFIG']?.trim();
  const found = asked ? [asked] : defaultNames.filter((name) => existsSync(path.join(cwd, name)));
  if (found.length > 1) {
    faults.add({
      where: found.join(', '),
      problem: 'there is more than one configuration file.',
      hint: 'Keep one of them, or name it in HOLDFAST_CONFIG.',
    });
  }
  const name = found[0];
  if (name === undefined) return { file: undefined, unreadable: false };
  const fullPath = path.resolve(cwd, name);
  const displayName = fullPath.startsWith(cwd + path.sep) ? path.relative(cwd, fullPath) : fullPath;

  try {
    const parsed = parseYaml(readText(fullPath));
    return { file: new ConfigurationFile(displayName, path.dirname(fullPath), parsed), unreadable: false };
  } catch (thrown) {
    if (thrown instanceof YamlFault) {
      const at = thrown.position;
      faults.add({ where: at ? `${displayName}:${at.line}:${at.column}` : displayName, problem: `${thrown.message}.` });
    } else {
      faults.add({
        where: asked ? `environment HOLDFAST_CONFIG (${displayName})` : displayName,
        problem: `the file cannot be read: ${reasonOf(thrown)}.`,
      });
    }
    return { file: undefined, unreadable: true };
  }
}

function readText(fullPath: string): string {
  const stat = statSync(fullPath);
  if (!stat.isFile()) throw new Error('it is not a regular file');
  if (stat.size > maxFileBytes) throw new Error(`it is larger than ${maxFileBytes} bytes`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(fullPath));
  } catch (cause) {
    if (cause instanceof TypeError) throw new Error('it is not UTF-8', { cause });
    throw cause;
  }
}
