import { attemptLimitDefaults, type AttemptLimits } from '@holdfast/kit/llm/layers/attempt-limits';
import { showName, showReceived } from '../faults.ts';
import { readField, refuseUnknownKeys } from '../fields.ts';
import { pathToText, type SettingPath } from '../file/index.ts';
import { nearestHint } from '../nearest.ts';
import { fileFault, fileSection, isFileMap, type Sources } from '../sources.ts';
import { readCallLimits } from './read-call-limits.ts';
import { limitFields } from './limit-fields.ts';
import type { ModelConfiguration, ModelTarget } from './model-configuration.ts';
import { readGroup, readMap } from './read-group.ts';
import { breakerFields, bulkheadFields, hedgeFields, holdBackField, retryFields, strategyField, weightField } from './resilience-fields.ts';
import { refuseTargetsAtOdds } from './targets-at-odds.ts';

/** Model names go into headers, metrics and the ledger, and `provider/model` is told from them by its slash. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._:@+-]{0,127}$/;
const maxTargets = 32;
const modelKeys = ['targets', 'strategy', 'limits', 'retry', 'breaker', 'bulkhead', 'hedge', 'holdBackMs', 'rateLimits'];

/** The models of the file. `providerNames` are the ones that a target may name. */
export function readModels(sources: Sources, providerNames: ReadonlySet<string>): readonly ModelConfiguration[] {
  const models: ModelConfiguration[] = [];
  for (const [name, entry] of Object.entries(fileSection(sources, 'models'))) {
    const path = ['models', name];
    if (name.includes('/'))
      fileFault(sources, path, 'the name of a model cannot have a slash: provider/model passes straight to a provider.');
    else if (!namePattern.test(name))
      fileFault(sources, path, 'the name of a model is made of letters, digits and . _ : @ + -, and begins with a letter or digit.');
    if (!isFileMap(entry)) {
      fileFault(sources, path, 'expected a map such as { targets: [provider/model] }.');
      continue;
    }
    refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map: entry, path, known: modelKeys });
    sources.origins.set(pathToText([...path, 'targets']), { source: 'file', text: sources.file!.lineOf([...path, 'targets']) });
    const targets = readTargets(sources, entry['targets'], [...path, 'targets'], providerNames);
    models.push({
      name,
      targets,
      strategy: readField(sources, entry, path, 'strategy', strategyField) ?? strategyField.default,
      limits: readLimits(sources, entry['limits'], [...path, 'limits'], targets.length),
      retry: readGroup(sources, entry['retry'], [...path, 'retry'], retryFields),
      breaker: readGroup(sources, entry['breaker'], [...path, 'breaker'], breakerFields),
      bulkhead: readGroup(sources, entry['bulkhead'], [...path, 'bulkhead'], bulkheadFields),
      hedge: readGroup(sources, entry['hedge'], [...path, 'hedge'], hedgeFields),
      holdBackMs: readField(sources, entry, path, 'holdBackMs', holdBackField) ?? holdBackField.default,
      rateLimits: readCallLimits(sources, entry['rateLimits'], [...path, 'rateLimits']),
    });
  }
  refuseTargetsAtOdds(sources, models);
  return models;
}

function readTargets(sources: Sources, given: unknown, path: SettingPath, providerNames: ReadonlySet<string>): readonly ModelTarget[] {
  if (!Array.isArray(given) || given.length === 0 || given.length > maxTargets) {
    fileFault(
      sources,
      path,
      given === undefined
        ? 'it is missing: a list of provider/model.'
        : `expected a list of 1 to ${maxTargets} provider/model, received ${showReceived(given)}.`,
    );
    return [];
  }
  const targets: ModelTarget[] = [];
  const seen = new Set<string>();
  for (const [index, item] of (given as readonly unknown[]).entries()) {
    const itemPath = [...path, index];
    const { target: written, weight } = readTarget(sources, item, itemPath);
    const match = typeof written === 'string' ? /^([^/\s]+)\/([^\s\p{Cc}]{1,256})$/u.exec(written) : null;
    if (!match) {
      fileFault(sources, itemPath, `expected provider/model, or { target: provider/model, weight: 3 }, received ${showReceived(item)}.`);
      continue;
    }
    const [target, provider, model] = match as unknown as [string, string, string];
    if (!providerNames.has(provider)) {
      const hint = nearestHint(provider, providerNames) ?? `Known providers: ${[...providerNames].join(', ')}.`;
      fileFault(sources, itemPath, `there is no provider ${showName(provider)}.`, hint);
    }
    if (seen.has(target)) fileFault(sources, itemPath, `${showName(target)} is named twice.`);
    seen.add(target);
    targets.push({ provider, model, weight });
  }
  return targets;
}

/** `provider/model`, alone or with what else is said of it. */
function readTarget(sources: Sources, item: unknown, path: SettingPath): { readonly target: unknown; readonly weight: number } {
  if (!isFileMap(item)) return { target: item, weight: weightField.default };
  refuseUnknownKeys({ faults: sources.faults, where: (at) => sources.file!.where(at), map: item, path, known: ['target', 'weight'] });
  return { target: item['target'], weight: readField(sources, item, path, 'weight', weightField) ?? weightField.default };
}

function readLimits(sources: Sources, given: unknown, path: SettingPath, targetCount: number): AttemptLimits {
  const map = readMap(sources, given, path, Object.keys(limitFields));
  const read = (name: keyof AttemptLimits) => readField(sources, map, path, name, limitFields[name]);
  const set = {
    connectMs: read('connectMs'),
    firstTokenMs: read('firstTokenMs'),
    answerMs: read('answerMs'),
    stallMs: read('stallMs'),
    totalMs: read('totalMs'),
  };

  // Only what was written can contradict; a default gives way to it.
  const totalMs =
    set.totalMs ?? Math.max(attemptLimitDefaults.totalMs, set.connectMs ?? 0, set.firstTokenMs ?? 0, set.answerMs ?? 0, set.stallMs ?? 0);
  const share = Math.ceil(totalMs / Math.max(1, targetCount));
  const within = (name: Exclude<keyof AttemptLimits, 'totalMs'>, ceiling: number, ceilingName: keyof AttemptLimits): number => {
    const value = set[name];
    if (value === undefined) return Math.min(name === 'answerMs' ? share : attemptLimitDefaults[name], ceiling);
    if (value > ceiling)
      fileFault(sources, [...path, name], `it is longer than ${ceilingName} (${value} > ${ceiling}), so it would never be reached.`);
    return value;
  };
  return {
    connectMs: within('connectMs', totalMs, 'totalMs'),
    firstTokenMs: within('firstTokenMs', totalMs, 'totalMs'),
    answerMs: within('answerMs', totalMs, 'totalMs'),
    stallMs: within('stallMs', totalMs, 'totalMs'),
    totalMs,
  };
}
