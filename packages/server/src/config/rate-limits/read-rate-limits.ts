import { limitLevels, limitTiers } from '@holdfast/kit/ratelimit';
import { showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import { pathToText, type SettingPath } from '../file/index.ts';
import { environmentOrigin } from '../origin.ts';
import { fileFault, fileSection, isFileMap, variable, type FileMap, type Sources } from '../sources.ts';
import type { Settings } from '../settings.ts';
import { endpointExemptField, endpointPerField, levelFields, levelVariables, tierFields } from './level-fields.ts';
import type {
  EndpointLimitConfiguration,
  LevelConfiguration,
  RateLimitConfiguration,
  RateLimitLevelName,
  TierConfiguration,
} from './rate-limit-configuration.ts';

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };

const root = 'rateLimits';
const levelNames: readonly RateLimitLevelName[] = ['global', 'ip', 'user', 'key'];
const tierName = /^[a-z][a-z0-9-]{0,31}$/;
const maxTiers = 100;
const maxEndpoints = 200;

/** The levels, tiers and endpoints of `rateLimits`, beside its plain settings. */
export function readRateLimits(sources: Sources, settings: Settings['rateLimits']): RateLimitConfiguration {
  const section = fileSection(sources, root);
  return {
    ...settings,
    levels: readLevels(sources, mapAt(sources, section, 'levels')),
    tiers: readTiers(sources, mapAt(sources, section, 'tiers')),
    endpoints: readEndpoints(sources, mapAt(sources, section, 'endpoints')),
  };
}

function mapAt(sources: Sources, section: FileMap, name: string): FileMap {
  const given = section[name];
  if (given === undefined || given === null) return {};
  if (isFileMap(given)) return given;
  fileFault(sources, [root, name], `expected a map, received ${showReceived(given)}.`);
  return {};
}

function readLevels(sources: Sources, given: FileMap): RateLimitConfiguration['levels'] {
  refuseUnknown(sources, given, [root, 'levels'], levelNames);
  const variables = readVariables(sources);
  const defaults: Readonly<Partial<Record<RateLimitLevelName, LevelConfiguration>>> = limitLevels;
  const levels: Partial<Record<RateLimitLevelName, LevelConfiguration>> = {};
  for (const name of levelNames) {
    const path = [root, 'levels', name];
    const own = given[name];
    if (own === false) {
      sources.origins.set(pathToText(path), { source: 'file', text: sources.file!.lineOf(path) });
      continue;
    }
    const written = own === undefined || own === null ? {} : readLevel(sources, own, path, []);
    const level: Mutable<LevelConfiguration> = { ...defaults[name], ...written };
    for (const { level: of, field, value, name: variableName } of variables) {
      if (of !== name) continue;
      level[field] = value;
      sources.origins.set(pathToText([...path, field]), environmentOrigin(variableName));
    }
    if (level.requestsPerMinute !== undefined || level.requestsPerHour !== undefined) levels[name] = level;
  }
  return levels as RateLimitConfiguration['levels'];
}

interface LevelVariable {
  readonly level: 'global' | 'ip';
  readonly field: 'requestsPerMinute' | 'burst';
  readonly value: number;
  readonly name: string;
}

/** Operators know these by requests a second; kept are whole ones a minute. */
function readVariables(sources: Sources): readonly LevelVariable[] {
  const found: LevelVariable[] = [];
  const refuse = (name: string, expected: string, text: string): void =>
    sources.faults.add({ where: `environment ${name}`, problem: `expected ${expected}, received ${showReceived(text)}.` });
  for (const [level, name] of [
    ['global', levelVariables.globalRps],
    ['ip', levelVariables.perIpRps],
  ] as const) {
    const text = variable(sources, name);
    if (text === undefined) continue;
    const value = /^\d{1,7}(?:\.\d{1,6})?$/.test(text) ? Math.round(Number(text) * 60) : 0;
    if (value >= 1) found.push({ level, field: 'requestsPerMinute', value, name });
    else refuse(name, 'requests a second such as 16.67, and one a minute at least', text);
  }
  const name = levelVariables.burst;
  const text = variable(sources, name);
  if (text !== undefined) {
    const value = /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
    if (value === 0) refuse(name, 'a whole number of 1 or more', text);
    else for (const level of ['global', 'ip'] as const) found.push({ level, field: 'burst', value, name });
  }
  return found;
}

/** A tier that is named replaces the one that comes with the package as a whole: half of an old one would surprise. */
function readTiers(sources: Sources, given: FileMap): RateLimitConfiguration['tiers'] {
  const tiers: Record<string, TierConfiguration> = { ...(limitTiers as Readonly<Record<string, TierConfiguration>>) };
  const names = Object.keys(given);
  if (names.length > maxTiers) fileFault(sources, [root, 'tiers'], `there are ${names.length} tiers, and ${maxTiers} at most may be.`);
  for (const name of names.slice(0, maxTiers)) {
    const path = [root, 'tiers', name];
    if (!tierName.test(name))
      fileFault(sources, path, 'the name of a tier is made of small letters, digits and dashes, up to 32, and begins with a letter.');
    tiers[name] = readTier(sources, given[name] ?? {}, path);
    sources.origins.set(pathToText(path), { source: 'file', text: sources.file!.lineOf(path) });
  }
  return tiers;
}

function readTier(sources: Sources, given: unknown, path: SettingPath): TierConfiguration {
  const tier: Mutable<TierConfiguration> = readLevel(sources, given, path, Object.keys(tierFields));
  if (!isFileMap(given)) return tier;
  for (const name of ['tokensPerMinute', 'concurrent'] as const) {
    const value = readField(sources, given, path, name, tierFields[name]);
    if (value !== undefined) tier[name] = value;
  }
  return tier;
}

function readEndpoints(sources: Sources, given: FileMap): readonly EndpointLimitConfiguration[] {
  const endpoints: EndpointLimitConfiguration[] = [];
  const entries = Object.entries(given);
  if (entries.length > maxEndpoints)
    fileFault(sources, [root, 'endpoints'], `there are ${entries.length} endpoints, and ${maxEndpoints} at most may be.`);
  for (const [name, own] of entries.slice(0, maxEndpoints)) {
    const path = [root, 'endpoints', name];
    const match = /^(?:(GET|HEAD|POST|PUT|PATCH|DELETE) )?(\/[!-~]{0,199})$/.exec(name);
    if (!match) {
      fileFault(sources, path, 'expected a route such as `POST /v1/embeddings` or `/api/keys/{id}`, as /docs shows them.');
      continue;
    }
    const level = readLevel(sources, own, path, ['per', 'exempt']);
    const map = isFileMap(own) ? own : {};
    const per = readField(sources, map, path, 'per', endpointPerField) ?? 'organization';
    const exempt = readField(sources, map, path, 'exempt', endpointExemptField) ?? false;
    const limited = level.requestsPerMinute !== undefined || level.requestsPerHour !== undefined;
    if (exempt && limited) fileFault(sources, path, 'it is exempt and has a limit: keep one or the other.');
    if (!exempt && !limited)
      fileFault(sources, path, 'it has no limit.', 'Give it requestsPerMinute or requestsPerHour, or `exempt: true`.');
    endpoints.push({ ...level, name, method: match[1], path: match[2]!.replaceAll(/\{(\w+)\}/g, ':$1'), per, exempt });
  }
  return endpoints;
}

function readLevel(sources: Sources, given: unknown, path: SettingPath, alsoKnown: readonly string[]): LevelConfiguration {
  if (!isFileMap(given)) {
    fileFault(sources, path, `expected a map such as { requestsPerMinute: 100 }, received ${showReceived(given)}.`);
    return {};
  }
  refuseUnknown(sources, given, path, [...Object.keys(levelFields), ...alsoKnown]);
  const level: Mutable<LevelConfiguration> = {};
  for (const name of ['requestsPerMinute', 'requestsPerHour', 'burst'] as const) {
    const value = readField(sources, given, path, name, levelFields[name]);
    if (value !== undefined) level[name] = value;
  }
  const shadow = readField(sources, given, path, 'shadow', levelFields.shadow);
  if (shadow !== undefined) level.shadow = shadow;
  const hasDefault = path[1] === 'levels' && (path[2] === 'global' || path[2] === 'ip');
  if (level.burst !== undefined && level.requestsPerMinute === undefined && !hasDefault)
    fileFault(sources, [...path, 'burst'], 'a burst is of requestsPerMinute, which is missing.');
  return level;
}

function refuseUnknown(sources: Sources, map: FileMap, path: SettingPath, known: readonly string[]): void {
  if (sources.file) refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map, path, known });
}
