import { changeKeyRequest, createKeyRequest, rotateKeyRequest } from '@holdfast/contracts';
import { InvalidArgumentError, type Command } from 'commander';
import type { ApiKey, IssuedKey } from '../../../features/identity/index.ts';
import { scopes, type Scope } from '../../../model/index.ts';
import type { CommandContext } from '../context.ts';
import { keyBody, keyTable } from '../key-view.ts';
import { parseLimit } from '../limit.ts';
import { after, parseDuration, parseMoment, type Moment } from '../moments.ts';
import { parseRequest } from '../request.ts';

/** Commander takes null for no value. */
type KeyLimit = number | 'none';

interface LimitOptions {
  readonly requestsPerMinute?: KeyLimit;
  readonly tokensPerMinute?: KeyLimit;
  readonly concurrent?: KeyLimit;
}

interface CreateOptions extends LimitOptions {
  readonly name: string;
  readonly scope?: readonly Scope[];
  readonly model?: readonly string[];
  readonly expires?: Moment;
  readonly json?: true;
}

interface ChangeOptions extends LimitOptions {
  readonly name?: string;
  readonly json?: true;
}

interface RotateOptions {
  readonly grace?: number;
  readonly expires?: Moment;
  readonly json?: true;
}

const pageSize = 100;

export function addKeys(program: Command, context: CommandContext): void {
  const { dependencies, terminal } = context;
  const { clock } = dependencies;
  const keys = program.command('keys').description('make, list, change, rotate and revoke API keys');

  keys
    .command('create')
    .description('make a key; it is written to standard output, once, and cannot be shown again')
    .requiredOption('--name <text>', 'what it is for')
    .option('--scope <scope...>', `what it may do: ${scopes.join(', ')} (default: inference)`, collectScope)
    .option('--model <name...>', 'models that it may ask for (default: all)')
    .option('--expires <moment>', 'when it ends: a date, a time, or a duration such as 90d (default: never)', parseMoment)
    .option('--requests-per-minute <number>', 'calls of models in any minute', parseKeyLimit)
    .option('--tokens-per-minute <number>', 'tokens of models a minute', parseKeyLimit)
    .option('--concurrent <number>', 'calls of models at once', parseKeyLimit)
    .option('--json', 'as JSON')
    .action(async ({ name, scope, model, expires, json, ...limits }: CreateOptions) => {
      const expiresAt = expires && after(expires, clock.now());
      const key = parseRequest(createKeyRequest, {
        name,
        scopes: scope,
        allowed_models: model,
        expires_at: expiresAt?.toISOString(),
        ...limitFields(limits),
      });
      const issued = await dependencies.keys(context.configuration(), (administration) =>
        administration.create({
          name: key.name,
          scopes: key.scopes,
          allowedModels: key.allowed_models ?? undefined,
          expiresAt,
          rateLimits: limitFields(limits),
        }),
      );
      showIssued(issued, json, `Key ${issued.key.id} was made. This is the only time that it is shown.`);
    });

  keys
    .command('list')
    .description('list the keys, newest first')
    .option('--limit <number>', 'at most so many', parseLimit, pageSize)
    .option('--json', 'as JSON')
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      const { found, more } = await dependencies.keys(context.configuration(), async (administration) => {
        const found: ApiKey[] = [];
        let more = true;
        while (more && found.length < limit) {
          const page = await administration.list({ limit: Math.min(pageSize, limit - found.length), beforeId: found.at(-1)?.id });
          found.push(...page.keys);
          more = page.more && page.keys.length > 0;
        }
        return { found, more };
      });
      if (json) terminal.out(`${JSON.stringify({ data: found.map((key) => keyBody(key, clock.now())) }, undefined, 2)}\n`);
      else terminal.out(keyTable(found, clock.now()));
      if (more) terminal.error('There are more: raise --limit.\n');
    });

  keys
    .command('change')
    .description('change the name or the limits of a key, on every instance within a second')
    .argument('<id>', 'id of the key, as `keys list` shows it')
    .option('--name <text>', 'what it is for')
    .option('--requests-per-minute <number>', 'calls of models in any minute; none takes the limit away', parseKeyLimit)
    .option('--tokens-per-minute <number>', 'tokens of models a minute; none takes the limit away', parseKeyLimit)
    .option('--concurrent <number>', 'calls of models at once; none takes the limit away', parseKeyLimit)
    .option('--json', 'as JSON')
    .action(async (id: string, { name, json, ...limits }: ChangeOptions) => {
      const changes = parseRequest(changeKeyRequest, { name, ...limitFields(limits) });
      const key = await dependencies.keys(context.configuration(), (administration) => administration.change(id, changes));
      terminal.out(json ? `${JSON.stringify(keyBody(key, clock.now()), undefined, 2)}\n` : keyTable([key], clock.now()));
    });

  keys
    .command('rotate')
    .description('make a successor with the same rights; the old key goes on for the grace period')
    .argument('<id>', 'id of the key, as `keys list` shows it')
    .option('--grace <duration>', 'how long the old key goes on: 0s, 1h, 7d (default: 24h)', parseDuration)
    .option('--expires <moment>', 'when the successor ends (default: when the old one would have)', parseMoment)
    .option('--json', 'as JSON')
    .action(async (id: string, { grace, expires, json }: RotateOptions) => {
      const expiresAt = expires && after(expires, clock.now());
      const { grace_seconds: graceSeconds } = parseRequest(rotateKeyRequest, {
        grace_seconds: grace,
        expires_at: expiresAt?.toISOString(),
      });
      const issued = await dependencies.keys(context.configuration(), (administration) =>
        administration.rotate(id, { graceSeconds, expiresAt }),
      );
      showIssued(issued, json, `Key ${issued.key.id} takes the place of ${issued.replaced.id}. This is the only time that it is shown.`);
    });

  keys
    .command('revoke')
    .description('end a key at once, everywhere')
    .argument('<id>', 'id of the key, as `keys list` shows it')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: true }) => {
      const key = await dependencies.keys(context.configuration(), (administration) => administration.revoke(id));
      terminal.out(json ? `${JSON.stringify(keyBody(key, clock.now()), undefined, 2)}\n` : `Key ${key.id} is revoked.\n`);
    });

  /** The secret alone goes to standard output, so that `KEY=$(holdfast keys create …)` works. */
  function showIssued({ key, secret }: IssuedKey, json: true | undefined, note: string): void {
    if (json) return terminal.out(`${JSON.stringify({ ...keyBody(key, clock.now()), key: secret }, undefined, 2)}\n`);
    terminal.error(`${note}\n`);
    terminal.out(`${secret}\n`);
  }
}

function limitFields({ requestsPerMinute, tokensPerMinute, concurrent }: LimitOptions) {
  const field = (limit: KeyLimit | undefined) => (limit === 'none' ? null : limit);
  return { requests_per_minute: field(requestsPerMinute), tokens_per_minute: field(tokensPerMinute), concurrent: field(concurrent) };
}

function parseKeyLimit(text: string): KeyLimit {
  if (text === 'none') return text;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('A limit is a whole number of 1 or more, or none.');
}

function collectScope(text: string, before: readonly Scope[] | undefined): readonly Scope[] {
  const scope = scopes.find((known) => known === text);
  if (scope === undefined) throw new InvalidArgumentError(`Scopes are ${scopes.join(', ')}.`);
  return [...(before ?? []), scope];
}
