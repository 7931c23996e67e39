import { HoldfastError } from '../../../errors/index.ts';
import { systemClock, systemRandom, type Clock, type Random } from '../../../time/index.ts';
import { checkSandboxSettings, checkTogether, sandboxDefaults, type SandboxFault, type SandboxSettings } from './settings.ts';

export interface SandboxProviderOptions {
  /** The name in the configuration; the first part of `provider/model`. Default `sandbox`. */
  readonly name?: string;
  /** How every model behaves. Default: `sandboxDefaults`. */
  readonly settings?: Partial<SandboxSettings>;
  /** How models of these names behave, where it differs from `settings`. */
  readonly models?: Readonly<Record<string, Partial<SandboxSettings>>>;
  /** All waits. Default: the system's. */
  readonly clock?: Clock;
  /** Whether an error comes (`errorRate`), and the ids of answers. Default: the system's. */
  readonly random?: Random;
}

export interface ResolvedSandboxOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The settings of a model by its name, configured or not. */
  readonly settingsOf: (model: string) => SandboxSettings;
}

/** Every fault of the settings in a configuration, with the path of each; none when a provider can be made of it. */
export function checkSandboxOptions(options: Pick<SandboxProviderOptions, 'settings' | 'models'>): SandboxFault[] {
  const faults = checkGroup('settings', options.settings, sandboxDefaults);
  if (!isObject(options.models ?? {})) return [...faults, { path: 'models', message: 'must be settings by the name of a model' }];
  const shared = { ...sandboxDefaults, ...(faults.length === 0 && given(options.settings)) };
  for (const [model, settings] of Object.entries(options.models ?? {})) faults.push(...checkGroup(`models.${model}`, settings, shared));
  return faults;
}

/** Fills in the defaults. Throws `configuration_invalid`, with every fault. */
export function resolveSandboxOptions(options: SandboxProviderOptions): ResolvedSandboxOptions {
  const fields = checkSandboxOptions(options);
  if (fields.length > 0) {
    const list = fields.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new HoldfastError('configuration_invalid', { detail: `the sandbox cannot be set so: ${list}`, details: { fields } });
  }
  const shared: SandboxSettings = Object.freeze({ ...sandboxDefaults, ...given(options.settings) });
  const models = new Map(
    Object.entries(options.models ?? {}).map(([model, settings]) => [model, Object.freeze({ ...shared, ...given(settings) })]),
  );
  return Object.freeze({
    name: options.name ?? 'sandbox',
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    settingsOf: (model: string) => models.get(model) ?? shared,
  });
}

function checkGroup(path: string, settings: unknown, base: SandboxSettings): SandboxFault[] {
  if (settings === undefined) return [];
  if (!isObject(settings)) return [{ path, message: 'must be settings by name' }];
  const alone = checkSandboxSettings(settings);
  const faults = alone.length > 0 ? alone : checkTogether({ ...base, ...given(settings) });
  return faults.map((fault) => ({ path: `${path}.${fault.path}`, message: fault.message }));
}

/** Only what is set: a setting that is there and undefined must not hide the one below it. */
function given(settings: Readonly<Record<string, unknown>> | Partial<SandboxSettings> | undefined): Partial<SandboxSettings> {
  return Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined)) as Partial<SandboxSettings>;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
