import { AttemptError } from '../../spec/index.ts';
import { checkSandboxSettings, checkTogether, readSettingText, type SandboxFault, type SandboxSettings } from './settings.ts';

export interface SandboxModel {
  /** The name without its settings: what the answer calls the model. */
  readonly name: string;
  readonly settings: SandboxSettings;
}

const namePattern = /^[A-Za-z0-9][\w.:/-]{0,127}$/;
const maxModelLength = 1024;

/**
 * Reads `name?setting=value&setting=value`, for example `demo?latencyMs=200&tokens=50`. The name is free: `demo`, or any
 * other, answers in a sentence of its own; `echo` says back what the user said and nothing else; a name of the
 * configuration has that one's settings. Settings in the name win over those of the configuration.
 *
 * Throws `invalid_request`, with each fault.
 */
export function readModelName(model: string, configured: (name: string) => SandboxSettings): SandboxModel {
  if (model.length > maxModelLength) throw invalidName([{ path: 'model', message: `is longer than ${maxModelLength} letters` }]);
  const at = model.indexOf('?');
  const name = at < 0 ? model : model.slice(0, at);
  if (!namePattern.test(name)) {
    throw invalidName([
      { path: 'model', message: 'must be a name of letters, digits and . _ - : /, which `?setting=value&setting=value` may follow' },
    ]);
  }
  const settings = configured(name);
  if (at < 0) return { name, settings };
  const faults: SandboxFault[] = [];
  const found = new Map<string, unknown>();
  for (const [key, text] of new URLSearchParams(model.slice(at + 1))) {
    if (found.has(key)) faults.push({ path: key, message: 'is given twice' });
    found.set(key, readSettingText(key, text));
  }
  const given = Object.fromEntries(found);
  faults.push(...checkSandboxSettings(given));
  const merged = { ...settings, ...given };
  if (faults.length === 0) faults.push(...checkTogether(merged));
  if (faults.length > 0)
    throw invalidName(faults.map(({ path, message }) => ({ path: 'model', message: `the setting "${path.slice(0, 40)}" ${message}` })));
  return { name, settings: merged };
}

function invalidName(fields: readonly SandboxFault[]): AttemptError {
  return new AttemptError('invalid_request', { detail: 'the name of a sandbox model has faults', details: { fields } });
}
