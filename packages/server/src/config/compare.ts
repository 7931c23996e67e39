import { createHmac } from 'node:crypto';
import type { Configuration } from './configuration.ts';
import { pathToText } from './file/index.ts';
import { sameValue } from './same-value.ts';
import { Secret } from './secret.ts';
import { settingEntries, type Settings } from './settings.ts';

/** Names, never values: a value may be a secret. */
export interface NameChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** The parts of a configuration that can change while the server runs. */
export const reloadableParts = ['providers', 'models', 'prices', 'rate_limits', 'alert_rules', 'alert_channels', 'log'] as const;

export type ConfigurationChanges = Readonly<Record<(typeof reloadableParts)[number], NameChanges>>;

type Part = ReadonlyMap<string, unknown>;

/** What of a configuration can change while the server runs, by the names that operators know it by. */
const parts: Readonly<Record<(typeof reloadableParts)[number], (configuration: Configuration) => Part>> = {
  providers: ({ providers }) => new Map(providers.map((provider) => [provider.name, provider])),
  models: ({ models }) => new Map(models.map((model) => [model.name, model])),
  prices: ({ prices }) =>
    new Map(
      Object.entries(prices).flatMap(([kind, models]) => Object.entries(models).map(([model, price]) => [`${kind}/${model}`, price])),
    ),
  rate_limits: ({ rateLimits: { levels, tiers, endpoints, ...settings } }) =>
    new Map<string, unknown>([
      ...Object.entries(settings),
      ...named('levels', levels),
      ...named('tiers', tiers),
      ...endpoints.map((endpoint) => [`endpoints.${endpoint.name}`, endpoint] as const),
    ]),
  alert_rules: ({ alerts }) => new Map(alerts.rules.map((rule) => [rule.name, rule])),
  alert_channels: ({ alerts }) => new Map(alerts.channels.map((channel) => [channel.name, channel])),
  log: ({ log }) => new Map([['level', log.level]]),
};

function named(group: string, members: Readonly<Record<string, unknown>>): (readonly [string, unknown])[] {
  return Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[`${group}.${name}`, value] as const]));
}

export function compareConfigurations(before: Configuration, after: Configuration): ConfigurationChanges {
  const compared = reloadableParts.map((part) => [part, compareParts(parts[part](before), parts[part](after))] as const);
  return Object.fromEntries(compared) as ConfigurationChanges;
}

function compareParts(before: Part, after: Part): NameChanges {
  return {
    added: [...after.keys()].filter((name) => !before.has(name)).toSorted(),
    removed: [...before.keys()].filter((name) => !after.has(name)).toSorted(),
    changed: [...after.keys()].filter((name) => before.has(name) && !sameValue(before.get(name), after.get(name))).toSorted(),
  };
}

/** Settings that differ and take effect with the next start only: `server.port`. */
export function restartRequired(before: Configuration, after: Configuration): readonly string[] {
  const valueOf = (configuration: Configuration, section: string, name: string): unknown =>
    (configuration[section as keyof Settings] as Readonly<Record<string, unknown>>)[name];
  return settingEntries
    .filter(
      ({ section, name }) => !isReloadable(section, name) && !sameValue(valueOf(before, section, name), valueOf(after, section, name)),
    )
    .map(({ section, name }) => pathToText([section, name]));
}

/** The settings that take effect with a reload. */
function isReloadable(section: string, name: string): boolean {
  return section === 'rateLimits' || (section === 'log' && name === 'level');
}

/**
 * A mark of everything that can change while the server runs, secrets included, by which instances are compared: HMAC-SHA-256,
 * its first 128 bits in hex. Keyed, since a plain hash would let anybody who sees it test guesses at a secret.
 */
export function configurationDigest(configuration: Configuration, key: Buffer): string {
  const content = reloadableParts.map((part) => [part, [...parts[part](configuration)].toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  return createHmac('sha256', key).update(canonicalText(content)).digest('hex').slice(0, 32);
}

/** JSON with the members of every object in one order, and secrets as they are. To be hashed, and for nothing else. */
function canonicalText(value: unknown): string {
  if (value instanceof Secret) return `secret ${JSON.stringify(value.reveal())}`;
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'undefined';
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalText(member)}`).join(',')}}`;
}
