import { showName, showReceived } from '../faults.ts';
import { refuseUnknownKeys } from '../fields.ts';
import { pathToText } from '../file/index.ts';
import { isHeaderToken } from '../header-token.ts';
import { nearestHint } from '../nearest.ts';
import { defaultOrigin, type Origin } from '../origin.ts';
import { secretFromEnvironment, secretsFromFile, type FoundSecret } from '../read-secret.ts';
import { secretKeys } from '../setting.ts';
import { fileFault, fileSection, isFileMap, type FileMap, type Sources } from '../sources.ts';
import { baseUrlFault, normaliseBaseUrl } from './base-url.ts';
import type { HttpProviderConfiguration, ProviderConfiguration } from './provider-configuration.ts';
import { providerFields } from './provider-fields.ts';
import { allKinds, isHttpKind, providerKinds, type HttpProviderKind, type ProviderKindTraits } from './provider-kinds.ts';
import { readSandboxProvider } from './read-sandbox.ts';

export interface ReadProviders {
  readonly providers: readonly ProviderConfiguration[];
  /** Names of all providers, the faulty ones too: a target that names one of those is no second fault. */
  readonly names: ReadonlySet<string>;
}

/** What `provider/model` needs before its slash; also what looks right in a metric's label and a header. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const apiKeyCheck = { accepts: isHeaderToken, expected: 'an API key, without spaces and line breaks' };
const httpKeys = Object.keys(providerFields);

/** Providers of the file, then those that a well-known variable of the environment makes; with none at all, the sandbox. */
export function readProviders(sources: Sources): ReadProviders {
  const providers: ProviderConfiguration[] = [];
  const names = new Map<string, string>();

  for (const [name, entry] of Object.entries(fileSection(sources, 'providers'))) {
    const fault = nameFault(name, names);
    if (fault !== undefined) fileFault(sources, ['providers', name], fault);
    names.set(name.toLowerCase(), name);
    const provider = readProvider(sources, name, entry);
    if (provider !== undefined && fault === undefined) providers.push(provider);
  }

  for (const [kind, traits] of Object.entries<ProviderKindTraits>(providerKinds)) {
    if (traits.environment === undefined || names.has(kind)) continue;
    const found = secretFromEnvironment(sources, traits.environment, apiKeyCheck);
    if (found === undefined) continue;
    names.set(kind, kind);
    noteOrigins(sources, kind, { kind: found.origin, baseUrl: defaultOrigin, apiKey: found.origin });
    providers.push({ name: kind, kind: kind as HttpProviderKind, baseUrl: traits.baseUrl!, apiKeys: [found.secret], traceContext: false });
  }

  if (names.size === 0) {
    names.set('sandbox', 'sandbox');
    providers.push(readSandboxProvider(sources, 'sandbox', {}));
    noteOrigins(sources, 'sandbox', { kind: defaultOrigin });
  }
  return { providers, names: new Set(names.values()) };
}

function nameFault(name: string, names: ReadonlyMap<string, string>): string | undefined {
  if (name.includes('/')) return 'the name of a provider cannot have a slash: what follows the slash is the model.';
  if (!namePattern.test(name))
    return 'the name of a provider is made of letters, digits, dots, dashes and underscores, and begins with a letter or digit.';
  const same = names.get(name.toLowerCase());
  return same === undefined ? undefined : `there is a provider ${showName(same)} already; names have to differ in more than case.`;
}

function readProvider(sources: Sources, name: string, entry: unknown): ProviderConfiguration | undefined {
  const path = ['providers', name];
  if (!isFileMap(entry)) return void fileFault(sources, path, 'expected a map such as { kind: openai, apiKeyEnv: PRIMARY_KEY }.');
  const kind = entry['kind'];
  if (kind === undefined) return void fileFault(sources, path, 'kind is missing.', `Known kinds: ${allKinds.join(', ')}.`);
  if (typeof kind !== 'string' || !allKinds.includes(kind)) {
    const hint = (typeof kind === 'string' ? nearestHint(kind, allKinds) : undefined) ?? `Known kinds: ${allKinds.join(', ')}.`;
    return void fileFault(sources, [...path, 'kind'], `there is no kind ${showReceived(kind)}.`, hint);
  }
  noteOrigins(sources, name, { kind: fileOrigin(sources, [...path, 'kind']) });
  return isHttpKind(kind) ? readHttpProvider(sources, name, kind, entry) : readSandboxProvider(sources, name, entry);
}

function readHttpProvider(sources: Sources, name: string, kind: HttpProviderKind, entry: FileMap): HttpProviderConfiguration | undefined {
  const { faults } = sources;
  const path = ['providers', name];
  const where = sources.file!.where.bind(sources.file);
  const traits: ProviderKindTraits = providerKinds[kind];
  refuseUnknownKeys({ faults, where, map: entry, path, known: httpKeys });

  const given = entry['baseUrl'];
  const fault = given === undefined ? undefined : baseUrlFault(given);
  if (fault !== undefined) fileFault(sources, [...path, 'baseUrl'], fault);
  if (given === undefined && traits.baseUrl === undefined) {
    fileFault(
      sources,
      path,
      `a provider of kind ${kind} needs a baseUrl.`,
      kind === 'azure' ? 'It is https://<resource>.openai.azure.com/openai/v1.' : undefined,
    );
  }
  const baseUrl = typeof given === 'string' && fault === undefined ? normaliseBaseUrl(given) : traits.baseUrl;

  const traceContext = entry['traceContext'] ?? false;
  if (typeof traceContext !== 'boolean')
    fileFault(sources, [...path, 'traceContext'], `expected true or false, received ${showReceived(traceContext)}.`);

  const keys = secretsFromFile(sources, entry, path, 'apiKey', apiKeyCheck, true);
  const hasKeySetting = secretKeys('apiKey').some((key) => entry[key] !== undefined);
  if (!hasKeySetting && traits.needsKey && (traits.baseUrl === undefined || baseUrl === traits.baseUrl)) {
    // Not taken from the well-known variable in silence: a provider of another name would then spend a key that nobody gave it.
    const hint =
      traits.environment === undefined
        ? 'Add apiKeyEnv with the name of a variable.'
        : `Add apiKeyEnv: ${traits.environment}, or another variable.`;
    fileFault(sources, path, `a provider of kind ${kind} needs a key.`, hint);
  }
  if (keys.length > 1 && new Set(keys.map(({ secret }) => secret.reveal())).size < keys.length) {
    fileFault(sources, [...path, presentKey(entry)], 'the same key is given twice.');
  }
  noteOrigins(sources, name, {
    baseUrl: given === undefined ? defaultOrigin : fileOrigin(sources, [...path, 'baseUrl']),
    apiKey: keysOrigin(keys),
    ...(entry['traceContext'] !== undefined && { traceContext: fileOrigin(sources, [...path, 'traceContext']) }),
  });
  return baseUrl === undefined
    ? undefined
    : { name, kind, baseUrl, apiKeys: keys.map(({ secret }) => secret), traceContext: traceContext === true };
}

function presentKey(entry: FileMap): string {
  return secretKeys('apiKey').find((key) => entry[key] !== undefined) ?? 'apiKey';
}

function keysOrigin(keys: readonly FoundSecret[]): Origin {
  if (keys.length === 0) return defaultOrigin;
  return { source: 'file', text: [...new Set(keys.map(({ origin }) => origin.text))].join('; ') };
}

function fileOrigin(sources: Sources, path: readonly string[]): Origin {
  return { source: 'file', text: sources.file!.lineOf(path) };
}

function noteOrigins(sources: Sources, name: string, origins: Readonly<Record<string, Origin>>): void {
  for (const [key, origin] of Object.entries(origins)) sources.origins.set(pathToText(['providers', name, key]), origin);
}
