import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { ReceivedSpan } from './otlp-receiver.ts';

interface Convention {
  readonly type: string;
  readonly level: 'required' | 'conditionally_required' | 'recommended' | 'opt_in';
  readonly values?: readonly string[];
}

const conventions = JSON.parse(readFileSync(path.join(import.meta.dirname, 'otlp/semantic-conventions.json'), 'utf8')) as Readonly<
  Record<string, Readonly<Record<string, Convention>>>
>;

/** Attributes of our own, by the rule for names that no convention has. */
const ours = /^holdfast\.[a-z_]+$/;

/** What of a span is not as the conventions have it; empty when all is. `optedIn`: attributes that need to be switched on may be there. */
export function conventionFaults(span: ReceivedSpan, { optedIn = false } = {}): string[] {
  const group = groupOf(span);
  const convention = conventions[group]!;
  const faults: string[] = [];
  for (const [name, { type, value }] of Object.entries(span.typed)) {
    if (ours.test(name)) continue;
    const rule = convention[name];
    if (rule === undefined) faults.push(`${name} is no attribute of ${group}`);
    else if (rule.type !== type) faults.push(`${name} is ${type}, not ${rule.type}`);
    else if (rule.values && !rule.values.includes(String(value))) faults.push(`${name} may not be ${String(value)}`);
    else if (rule.level === 'opt_in' && !optedIn) faults.push(`${name} was not asked for`);
  }
  for (const [name, { level }] of Object.entries(convention))
    if (level === 'required' && span.typed[name] === undefined) faults.push(`${name} is missing`);
  faults.push(...conditionFaults(span, group), ...nameFaults(span, group));
  return faults.map((fault) => `${span.name}: ${fault}`);
}

function groupOf({ kind, attributes }: ReceivedSpan): string {
  if (kind === 'server') return 'http.server';
  if (attributes['gen_ai.operation.name'] === 'embeddings') return 'gen_ai.embeddings.client';
  if (attributes['gen_ai.operation.name'] !== undefined) return 'gen_ai.inference.client';
  return kind === 'client' ? 'db.client' : 'internal';
}

/** Required under a condition that the span itself tells. */
function conditionFaults({ attributes, failed }: ReceivedSpan, group: string): string[] {
  const faults: string[] = [];
  if (failed && attributes['error.type'] === undefined) faults.push('it failed and error.type is missing');
  if (attributes['server.address'] !== undefined && attributes['server.port'] === undefined) faults.push('server.port is missing');
  if (group.startsWith('gen_ai') && attributes['gen_ai.request.model'] === undefined) faults.push('gen_ai.request.model is missing');
  if (attributes['gen_ai.request.choice.count'] === 1) faults.push('gen_ai.request.choice.count is 1');
  if (attributes['gen_ai.request.stream'] === false) faults.push('gen_ai.request.stream is false');
  return faults;
}

function nameFaults({ name, attributes }: ReceivedSpan, group: string): string[] {
  const at = (key: string) => attributes[key];
  const expected =
    group === 'http.server'
      ? [at('http.request.method') === '_OTHER' ? 'HTTP' : at('http.request.method'), at('http.route')]
      : group === 'db.client'
        ? [at('db.operation.name'), at('db.collection.name')]
        : group === 'internal'
          ? undefined
          : [at('gen_ai.operation.name'), at('gen_ai.request.model')];
  if (expected === undefined) return [];
  const wanted = expected.filter((part) => part !== undefined).join(' ');
  return wanted === name ? [] : [`its name should be ${wanted}`];
}
