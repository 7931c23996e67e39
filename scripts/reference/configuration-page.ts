import { sandboxDefaults, sandboxSettingNames } from '@holdfast/kit/llm/providers/sandbox';
import { limitLevels, limitTiers, type LimitTier } from '@holdfast/kit/ratelimit';
import {
  aboveField,
  alertMetrics,
  breakerFields,
  bulkheadFields,
  callLimitFields,
  channelFields,
  defaultAlertRules,
  endpointExemptField,
  endpointPerField,
  hedgeFields,
  holdBackField,
  levelFields,
  levelVariables,
  limitFields,
  providerFields,
  providerKinds,
  priceFields,
  rateFields,
  retryFields,
  ruleFields,
  ruleMaps,
  secretKeys,
  settingEntries,
  sinceField,
  strategyField,
  tierFields,
  weightField,
  type ProviderKindTraits,
  type SettingEntry,
} from '../../packages/server/src/config/index.ts';
import { code, generatedNotice, table } from './markdown.ts';

const sectionTitles: Readonly<Record<string, string>> = {
  server: 'Listening, folder and limits in time.',
  budgets: 'What hard budgets do where they cannot ask.',
  spill: 'Where calls are recorded while the database is away: [when the database is away](../guides/database-away.md).',
  database: 'PostgreSQL of your own; without it an embedded one runs in the data folder.',
  redis: 'What several instances share beside the database.',
  secrets: 'Roots of trust of this installation.',
  limits: 'What a request may be like.',
  rateLimits: 'Limits on requests; [levels, tiers and endpoints](#levels-tiers-and-endpoints) below.',
  overload: 'When requests are refused because there is too much to do.',
  alerts: 'Who is told when something is wrong, and what that is; [channels and rules of alerts](#channels-and-rules-of-alerts) below.',
  abuse: 'Who is shut out, and by what they are found.',
  health: 'What is looked at and how often, and probes from a thread of their own.',
  cors: 'Browsers of other origins.',
  log: 'What is logged, where and how.',
  audit: 'The log of who did what, which can be verified, and where its checkpoints are published; see [the guide](../guides/audit.md).',
  performance: 'What is measured without Prometheus: where the time goes, over the last day.',
  sentry: 'Reports of errors that should not happen. Off until there is a DSN.',
  tracing: 'OpenTelemetry. Off until there is an endpoint; see [the guide](../guides/tracing.md).',
  requestLog: 'A row of every request in the database.',
  metrics: 'Prometheus.',
};

/** docs/reference/configuration.md, from the one table of settings. */
export function configurationPage(): string {
  const sections = [...new Set(settingEntries.map(({ section }) => section))];
  return `${[
    generatedNotice,
    '# Configuration',
    introduction,
    '## Settings',
    ...sections.flatMap((section) => [
      `### ${section}`,
      sectionTitles[section] ?? missing(section),
      settingTable(settingEntries.filter((entry) => entry.section === section)),
    ]),
    '### levels, tiers and endpoints',
    rateLimitsIntroduction,
    table(
      ['Key', 'Value', 'Default', 'What it is'],
      Object.entries({ ...levelFields, ...tierFields, per: endpointPerField, exempt: endpointExemptField }).map(([name, field]) => [
        code(name),
        field.type.expected,
        field.defaultText,
        field.description,
      ]),
    ),
    '### channels and rules of alerts',
    alertsIntroduction,
    table(
      ['Key of a channel', 'Value', 'Default', 'What it is'],
      Object.entries(channelFields).map(([name, field]) => [code(name), field.expected, field.defaultText, field.description]),
    ),
    table(
      ['Key of a rule', 'Value', 'Default', 'What it is'],
      [
        ...Object.entries(ruleFields)
          .filter(([name]) => name !== 'metric')
          .map(([name, field]) => [code(name), field.type.expected, field.defaultText, field.description]),
        [code('metric'), 'a metric', ruleFields.metric.defaultText, ruleFields.metric.description],
        ...Object.entries(ruleMaps).map(([name, description]) => [code(name), 'a map of labels', 'none', description]),
      ],
    ),
    table(
      ['Metric', 'Unit', 'Labels', 'What it is'],
      Object.entries(alertMetrics).map(([name, { unit, labels, description }]) => [
        code(name),
        unit,
        labels.map(code).join(', '),
        description,
      ]),
    ),
    'The rules that come with the package:',
    table(
      ['Rule', 'Fires when', 'For', 'Severity', 'What it says'],
      defaultAlertRules.map((rule) => [
        code(rule.name),
        `${code(rule.metric)} is ${rule.bad} ${rule.threshold}${rule.minCount > 1 ? ` (of at least ${rule.minCount})` : ''}`,
        rule.forMs === 0 ? 'at once' : `${rule.forMs / 1_000} s`,
        rule.severity,
        rule.summary,
      ]),
    ),
    '## providers',
    providersIntroduction,
    table(
      ['Key', 'Value', 'Default', 'What it is'],
      Object.entries(providerFields).map(([name, field]) => [code(name), field.expected, field.defaultText, field.description]),
    ),
    '### Kinds',
    table(
      ['Kind', 'Address', 'Key', 'By itself with', 'What it is'],
      Object.entries<ProviderKindTraits>(providerKinds).map(([kind, traits]) => [
        code(kind),
        traits.baseUrl === undefined ? '`baseUrl` is required' : code(traits.baseUrl),
        traits.needsKey ? (traits.baseUrl === undefined ? 'required' : 'required at this address') : 'optional',
        traits.environment === undefined ? '' : code(traits.environment),
        traits.description,
      ]),
    ),
    sandboxText(),
    '## models',
    modelsIntroduction,
    table(
      ['Key', 'Value', 'Default', 'What it is'],
      [
        [
          code('targets'),
          'a list of `provider/model`',
          'required',
          'Where the call goes. What follows the first slash is the name by which the provider knows the model. One that has more to say is a map with a `target`.',
        ],
        fieldRow('targets[].weight', weightField),
        fieldRow('strategy', strategyField),
        ...groupRows('limits', limitFields),
        ...groupRows('retry', retryFields),
        ...groupRows('breaker', breakerFields),
        ...groupRows('bulkhead', bulkheadFields),
        ...groupRows('hedge', hedgeFields),
        fieldRow('holdBackMs', holdBackField),
        ...Object.entries(callLimitFields).map(([name, field]) => [
          code(`rateLimits.${name}`),
          field.type.expected,
          field.defaultText,
          `For all who use the model together. ${field.description}`,
        ]),
      ],
    ),
    '## prices',
    pricesIntroduction,
    table(
      ['Key', 'Value', 'Default', 'What it is'],
      [
        ...Object.entries({ since: sinceField, ...rateFields, ...priceFields }).map(([name, field]) => [
          code(name),
          field.type.expected,
          field.defaultText,
          field.description,
        ]),
        [
          code('tiers'),
          'a list of prices',
          'none',
          `Prices of calls with long prompts: the same keys, and \`aboveTokens\` (${aboveField.type.expected}). ${aboveField.description}`,
        ],
      ],
    ),
  ].join('\n\n')}\n`;
}

interface DescribedField {
  readonly type: { readonly expected: string };
  readonly defaultText: string;
  readonly description: string;
}

function groupRows(group: string, fields: Readonly<Record<string, DescribedField>>): string[][] {
  return Object.entries(fields).map(([name, field]) => fieldRow(`${group}.${name}`, field));
}

/** A default that is words, and not a value, has its own marks where it needs some. */
function fieldRow(name: string, { type, defaultText, description }: DescribedField): string[] {
  return [code(name), type.expected, defaultText.includes('`') ? defaultText : code(defaultText), description];
}

function settingTable(entries: readonly SettingEntry[]): string {
  return table(
    ['In the file', 'In the environment', 'Value', 'Default', 'What it is'],
    entries.map(({ section, name, setting }) =>
      setting.secret
        ? [
            secretKeys(name)
              .map((key) => code(`${section}.${key}`))
              .join(', '),
            `${code(setting.environment)}, ${code(`${setting.environment}_FILE`)}`,
            setting.expected,
            'none',
            `Secret. ${setting.description}`,
          ]
        : [
            code(`${section}.${name}`),
            code(setting.environment),
            setting.type.expected,
            setting.defaultText ?? code(String(setting.default)),
            setting.description,
          ],
    ),
  );
}

function sandboxText(): string {
  const defaults = new Map<string, unknown>(Object.entries(sandboxDefaults));
  const list = sandboxSettingNames
    .map((name) => `${code(name)}${defaults.get(name) === undefined ? '' : ` (${code(JSON.stringify(defaults.get(name)))})`}`)
    .join(', ');
  return [
    '### The sandbox',
    'A provider of kind `sandbox` answers from inside of the process: it needs no account and costs nothing, and it can be told to be slow, to fail, to break off or to fall silent. ' +
      'When no other provider is configured there is one called `sandbox`.',
    `Its settings, with their defaults: ${list}. They stand beside \`kind\` and hold for every model of it; below \`models\` they hold for models of that name; ` +
      'and in a model name they hold for one call: `sandbox/demo?latencyMs=200&tokens=50`.',
  ].join('\n\n');
}

/** A section without a word about it must not appear unnoticed. */
function missing(section: string): never {
  throw new Error(`scripts/reference/configuration-page.ts has no introduction to the section ${section}`);
}

const introduction = `Every setting can be given in the environment and in a file; the environment wins over the file, the file over the default. \`holdfast config print\`
shows what is in force and where each value came from, \`holdfast config check\` checks without starting anything.

- The file is \`holdfast.config.yaml\` (\`.yml\`, \`.json\`) in the working directory, or the one that \`HOLDFAST_CONFIG\` or \`--config\` names. YAML 1.2, of which JSON is a part.
- A \`.env\` in the working directory is read too; variables that are set already win over it.
- An empty variable counts as not set. Lists are comma-separated in the environment.
- Relative paths hang on the folder of the file when they stand in it, otherwise on the working directory.
- Secrets are given by value (\`X\`), as a file that holds them (\`X_FILE\`), or in the configuration file as \`x\`, \`xFile\` or \`xEnv\` (the name of a variable). They are never shown.
- Whatever is wrong is told at start in one list: malformed values, keys of the file and \`HOLDFAST_…\` variables that do not exist (with the nearest one that does), and contradictions.
- Variables that Kubernetes injects for a service called \`holdfast\` (\`HOLDFAST_SERVICE_…\`, \`HOLDFAST_PORT_…\`, \`HOLDFAST_PORT=tcp://…\`) are ignored.

\`\`\`yaml
providers:
  primary: { kind: openai, baseUrl: "https://llm.example.com/v1", apiKeyEnv: [KEY_A, KEY_B] }
  claude: { kind: anthropic, apiKeyEnv: ANTHROPIC_API_KEY }
models:
  fast:
    targets: [primary/gpt-4o-mini]
    limits: { connectMs: 10000, firstTokenMs: 60000, stallMs: 60000, totalMs: 600000 }
    retry: { attempts: 3, firstDelayMs: 1000, factor: 2, maxDelayMs: 30000, jitter: full, budgetPercent: 20 }
    breaker: { mode: consecutive, threshold: 5, recoveryMs: 60000 }
server:
  port: 8080
log:
  level: info
\`\`\``;

const level = ({ requestsPerMinute, burst }: (typeof limitLevels)['ip']) =>
  `${requestsPerMinute} a minute${burst === undefined ? '' : `, ${burst} at once`}`;

const rateLimitsIntroduction = `Maps below \`rateLimits\`, only in the file; the guide to [limits](../guides/limits.md#in-the-server) says how they work together.

- \`levels\`: \`global\` (${level(limitLevels.global)}), \`ip\` (${level(limitLevels.ip)}), \`user\` and \`key\` (not limited). What is written of a level stands beside its defaults; \`false\` switches a level off.
  In the environment, above the file: \`${levelVariables.globalRps}\` and \`${levelVariables.perIpRps}\` (requests a second, such as 16.67) and \`${levelVariables.burst}\` of both.
- \`tiers\` of organizations, by name: ${Object.entries<LimitTier>(limitTiers)
  .map(([name, { requestsPerMinute, requestsPerHour }]) =>
    requestsPerMinute === undefined ? `\`${name}\` (counted)` : `\`${name}\` (${requestsPerMinute} a minute, ${requestsPerHour} an hour)`,
  )
  .join(', ')}. A tier that is written replaces the one of that name as a whole.
- \`endpoints\`, by route (\`POST /v1/embeddings\`, or without a method for all of them): a limit beside the others.

\`\`\`yaml
rateLimits:
  levels:
    global: { requestsPerMinute: 6000, burst: 200 }
    key: { requestsPerMinute: 600 }
  tiers:
    gold: { requestsPerMinute: 1000, requestsPerHour: 50000 }
  endpoints:
    "POST /v1/embeddings": { requestsPerMinute: 300, per: key }
\`\`\``;

const alertsIntroduction = `Maps below \`alerts\`, only in the file; the guide to [alerts](../guides/alerts.md) says how they work.

- \`channels\`, by name. Secrets stand as \`x\`, \`xFile\` or \`xEnv\`. A secret among the settings above makes one more, named after its kind.
- \`rules\`, by name: what is written of a rule that comes with the package stands beside what it has; \`false\` takes it out; another name is a rule of your own.

\`\`\`yaml
alerts:
  channels:
    team: { kind: slack, urlEnv: TEAM_SLACK_URL }
    night: { kind: pagerduty, routingKeyEnv: PAGERDUTY_KEY, minSeverity: critical }
  rules:
    error-rate: { above: 0.02, forMs: 120000 }
    disk: false
    daily-spend: { metric: spend_usd, above: 500, windowMs: 86400000, severity: warning, summary: More than 500 dollars were spent in a day. }
\`\`\``;

const providersIntroduction = `Where models are served, by name; only in the file. Names are letters, digits, dots, dashes and underscores. A well-known variable (see the kinds) makes a provider
with the name of its kind, unless the file has one of that name.`;

const pricesIntroduction = `Prices of your own, by kind of provider and model; only in the file. Standard prices come with the package, with the day since which each holds; what stands here replaces
the whole history of that model. A price that is not known is recorded as unknown, never as 0.

\`\`\`yaml
prices:
  openai:
    my-model: { input: 0.5, output: 1.5 }
  azure:
    gpt-4o:
      - { since: 2026-01-01, input: 2.5, output: 10 }
      - { since: 2026-07-01, input: 2, output: 8, cacheRead: 1 }
\`\`\``;

const modelsIntroduction = `The names that clients ask for; only in the file. Names are letters, digits and \`. _ : @ + -\`. A \`provider/model\` that is not listed passes straight to that provider, with
the defaults. What retries, breakers and the rest do is in [resilience in the gateway](../guides/resilience-in-the-gateway.md).`;
