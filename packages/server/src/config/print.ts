import type { AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import { printAlerts } from './alerts/index.ts';
import type { Configuration } from './configuration.ts';
import { pathToText } from './file/index.ts';
import { limitFields, weightField, type ModelTarget } from './models/index.ts';
import { defaultOrigin, type Origin } from './origin.ts';
import { fromPriceEntry } from './prices/index.ts';
import { printRateLimits } from './rate-limits/index.ts';
import { settingEntries, type Settings } from './settings.ts';

/** A value in force and where it came from. `value` is JSON, and never a secret. */
export interface ConfigurationEntry {
  /** Path in the file: `['providers', 'primary', 'baseUrl']`. */
  readonly path: readonly string[];
  readonly value: unknown;
  readonly secret: boolean;
  readonly origin: Origin;
}

/** Everything that is in force, as a flat list in the order of the reference. */
export function configurationEntries(configuration: Configuration): readonly ConfigurationEntry[] {
  const { origins } = configuration;
  const entry = (path: readonly string[], value: unknown, secret = false): ConfigurationEntry => ({
    path,
    value,
    secret,
    origin: origins[pathToText(path)] ?? defaultOrigin,
  });
  const entries: ConfigurationEntry[] = [];

  for (const { section, name, setting } of settingEntries) {
    const value = (configuration[section as keyof Settings] as Readonly<Record<string, unknown>>)[name];
    entries.push(
      setting.secret ? entry([section, name], value === undefined ? 'not set' : 'set', true) : entry([section, name], value ?? null),
    );
    if (section === 'rateLimits' && name === 'shadow')
      for (const [path, own] of printRateLimits(configuration.rateLimits)) entries.push(entry(['rateLimits', ...path], own));
    if (section === 'alerts' && name === 'emailTo')
      for (const [path, own, isSecret] of printAlerts(configuration.alerts)) entries.push(entry(['alerts', ...path], own, isSecret));
  }
  for (const provider of configuration.providers) {
    const path = ['providers', provider.name];
    entries.push(entry([...path, 'kind'], provider.kind));
    if (provider.kind === 'sandbox') {
      for (const [name, value] of Object.entries(provider.options.settings)) entries.push(entry([...path, name], value));
      for (const [model, settings] of Object.entries(provider.options.models)) {
        for (const [name, value] of Object.entries(settings)) entries.push(entry([...path, 'models', model, name], value));
      }
      continue;
    }
    const count = provider.apiKeys.length;
    entries.push(entry([...path, 'baseUrl'], provider.baseUrl));
    entries.push(entry([...path, 'traceContext'], provider.traceContext));
    entries.push(entry([...path, 'apiKey'], count === 0 ? 'not set' : count === 1 ? 'set' : `${count} keys set`, true));
  }
  for (const { name, targets, strategy, limits, holdBackMs, rateLimits, ...groups } of configuration.models) {
    entries.push({
      ...entry(['models', name, 'targets'], targets.map(showTarget)),
    });
    entries.push(entry(['models', name, 'strategy'], strategy));
    for (const limit of Object.keys(limitFields) as (keyof AttemptLimits)[])
      entries.push(entry(['models', name, 'limits', limit], limits[limit]));
    for (const group of ['retry', 'breaker', 'bulkhead', 'hedge'] as const) {
      for (const [key, value] of Object.entries(groups[group])) entries.push(entry(['models', name, group, key], value ?? null));
    }
    entries.push(entry(['models', name, 'holdBackMs'], holdBackMs));
    for (const [limit, value] of Object.entries(rateLimits ?? {})) entries.push(entry(['models', name, 'rateLimits', limit], value));
  }
  for (const [kind, models] of Object.entries(configuration.prices)) {
    for (const [model, price] of Object.entries(models)) entries.push(entry(['prices', kind, model], fromPriceEntry(price)));
  }
  return entries;
}

function showTarget({ provider, model, weight }: ModelTarget): unknown {
  const target = `${provider}/${model}`;
  return weight === weightField.default ? target : { target, weight };
}

/**
 * The configuration in force, in the shape of the file, each value with where it came from beside it. Secrets stand in it as
 * comments that say whether they are set.
 */
export function printConfiguration(configuration: Configuration): string {
  const lines: (readonly [text: string, origin: string])[] = [];
  let open: readonly string[] = [];
  for (const { path, value, secret, origin } of configurationEntries(configuration)) {
    const parents = path.slice(0, -1);
    let depth = 0;
    while (depth < parents.length && parents[depth] === open[depth]) depth += 1;
    for (; depth < parents.length; depth += 1) lines.push([`${'  '.repeat(depth)}${yamlKey(parents[depth]!)}:`, '']);
    open = parents;
    const unset = secret || value === null;
    lines.push([
      `${'  '.repeat(parents.length)}${unset ? '# ' : ''}${yamlKey(path.at(-1)!)}: ${secret ? `(${String(value)})` : yamlValue(value)}`,
      origin.text,
    ]);
  }
  const width = Math.min(60, Math.max(...lines.map(([text]) => text.length)));
  const heading = configuration.file === undefined ? '# no configuration file' : `# ${configuration.file}`;
  return [heading, ...lines.map(([text, origin]) => (origin === '' ? text : `${text.padEnd(width)}  # ${origin}`))].join('\n') + '\n';
}

function yamlKey(name: string): string {
  return /^[A-Za-z][\w-]*$/.test(name) ? name : JSON.stringify(name);
}

/** JSON is YAML; only texts that cannot be taken for anything else lose their quotes. */
function yamlValue(value: unknown): string {
  if (value === null) return '(not set)';
  if (typeof value !== 'string') return JSON.stringify(value);
  return /^(?:\/|\.\/|https?:\/\/)?[A-Za-z][\w./:-]*[\w/]$/.test(value) && !/^(?:true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : JSON.stringify(value);
}
