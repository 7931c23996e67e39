import { abuseSettings } from './abuse-settings.ts';
import { alertSettings } from './alert-settings.ts';
import { budgetSettings } from './budget-settings.ts';
import { healthSettings } from './health-settings.ts';
import { observationSettings } from './observation-settings.ts';
import { isRedisUrl } from './redis-url.ts';
import type { Setting, SecretSetting, SettingSection, SettingValues } from './setting.ts';
import { sentrySettings } from './sentry-settings.ts';
import { spillSettings } from './spill-settings.ts';
import { tracingSettings } from './tracing-settings.ts';
import { choice, filePath, flag, integer, ipRange, listOf, text } from './value-types.ts';

/** pino's levels; the other spellings are those of Python, syslog and Java. */
const logLevel = choice(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
  warning: 'warn',
  critical: 'fatal',
});

const corsOrigin = text('an origin', /^(?:\*|https?:\/\/[^\s/?#@\\]+)$/);

/**
 * Every setting that is not a map, by section of the file. The one place: validation, `holdfast config print`, the types
 * and docs/reference/configuration.md are derived from it. Names are never changed, since they stand in people's files.
 */
export const settings = {
  server: {
    host: {
      type: text('a host name or IP address', /^(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?)$/),
      environment: 'HOLDFAST_HOST',
      default: '127.0.0.1',
      description: 'Address to listen on. The default is reachable from this machine only; in a container use `0.0.0.0` or `::`.',
    },
    port: {
      type: integer(0, 65_535),
      environment: 'HOLDFAST_PORT',
      default: 8080,
      description: 'Port to listen on; `0` takes any free one.',
    },
    dataDir: {
      type: filePath('a path'),
      environment: 'HOLDFAST_DATA_DIR',
      default: '.holdfast',
      description:
        'Folder of what the server keeps: the embedded database and its master key. Needs a disk that survives a restart. One server at a time.',
    },
    trustedProxies: {
      type: listOf(ipRange, 'a list of addresses, CIDR ranges, `loopback`, `private` and `linklocal`'),
      environment: 'HOLDFAST_TRUSTED_PROXIES',
      default: [] as readonly string[],
      defaultText: 'none',
      description:
        'Your reverse proxies and load balancers: whom they name in the forwarding header is taken for the client, in the log, for limits and for bans. Name them and nobody else: whoever stands in one of these ranges can claim any address. Without it the other end of the connection is the client. Comma-separated in the environment, a list in the file.',
    },
    trustedHops: {
      type: integer(0, 16),
      environment: 'HOLDFAST_TRUSTED_HOPS',
      default: 0,
      description:
        'In place of `trustedProxies` where proxies have no fixed addresses: how many stand before this server. Only where nobody can reach it past them.',
    },
    forwardingHeader: {
      type: choice(['x-forwarded-for', 'forwarded']),
      environment: 'HOLDFAST_FORWARDING_HEADER',
      default: 'x-forwarded-for',
      description: 'The header in which trusted proxies name the client. The other one is never read.',
    },
    ipv6PrefixLength: {
      type: integer(32, 128),
      environment: 'HOLDFAST_CLIENT_IPV6_PREFIX_LENGTH',
      default: 64,
      description:
        'Bits of an IPv6 address that make one client, for limits and bans: whoever has one address of such a network has all of them. `56` where most clients come from providers that give each customer 256 networks.',
    },
    headersTimeoutMs: {
      type: integer(100, 600_000),
      environment: 'HOLDFAST_HEADERS_TIMEOUT_MS',
      default: 10_000,
      description: 'Milliseconds in which the headers of a request have to arrive. A defence against slow clients.',
    },
    requestTimeoutMs: {
      type: integer(100, 3_600_000),
      environment: 'HOLDFAST_REQUEST_TIMEOUT_MS',
      default: 60_000,
      description:
        'Milliseconds in which a request has to arrive whole, headers and body. Raise it for large bodies over slow lines. It does not limit the answer.',
    },
    drainTimeoutMs: {
      type: integer(0, 3_600_000),
      environment: 'HOLDFAST_DRAIN_TIMEOUT_MS',
      default: 30_000,
      description:
        'Milliseconds that running calls are given to end after SIGTERM; what runs longer is cut and recorded. Keep it below the grace period of the process manager.',
    },
  },
  database: {
    url: {
      secret: true,
      environment: 'DATABASE_URL',
      expected: 'a URL like `postgres://user:password@host:5432/database` (special characters in the password percent-encoded)',
      accepts: isPostgresUrl,
      description: 'PostgreSQL 15 or later to use. Without it the embedded PostgreSQL is started in the data folder.',
    },
    maxConnections: {
      type: integer(9, 10_000),
      environment: 'POSTGRES_MAX_CONNECTIONS',
      default: 100,
      description:
        'Ceiling of database connections over all pools of this instance. The sum over all instances has to stay below `max_connections` of the database.',
    },
  },
  budgets: budgetSettings,
  spill: spillSettings,
  redis: {
    url: {
      secret: true,
      environment: 'REDIS_URL',
      expected:
        'a URL like `redis://user:password@host:6379/0`, or `rediss://` for TLS, without parameters (special characters in the password percent-encoded)',
      accepts: isRedisUrl,
      description:
        'Redis 6.2 or later, or Valkey, through which several instances share breakers and limits. Without it, or while it is away, each goes by what it sees itself.',
    },
  },
  secrets: {
    masterKey: {
      secret: true,
      environment: 'HOLDFAST_MASTER_KEY',
      expected: '32 random bytes in hex or base64, as `openssl rand -base64 32` prints them',
      accepts: isMasterKeyText,
      description:
        'Root of everything that Holdfast hashes and encrypts. Made on the first start for the embedded database; required with `DATABASE_URL`, since instances share it. Lost, all API keys are void.',
    },
    bootstrapKey: {
      secret: true,
      environment: 'HOLDFAST_BOOTSTRAP_KEY',
      expected: '32 to 256 visible ASCII characters without spaces, not the same few repeated',
      accepts: isFitForKey,
      description:
        "The operator's API key that the first start is to use, instead of making one and showing it once. Later starts do not look at it.",
    },
  },
  limits: {
    maxBodyBytes: {
      type: integer(1024, 1_073_741_824),
      environment: 'HOLDFAST_MAX_BODY_BYTES',
      default: 33_554_432,
      defaultText: '33554432 (32 MiB)',
      description: 'Largest request body, in bytes. Images travel inside of bodies: keep it well above the largest that you send.',
    },
    maxBodyDepth: {
      type: integer(4, 1000),
      environment: 'HOLDFAST_MAX_BODY_DEPTH',
      default: 64,
      description: 'How deeply a JSON body may be nested.',
    },
  },
  rateLimits: {
    enabled: {
      type: flag,
      environment: 'RATE_LIMIT_ENABLED',
      default: true,
      description: 'Whether requests are limited at all.',
    },
    assumedCompletionTokens: {
      type: integer(0, 10_000_000),
      environment: 'HOLDFAST_ASSUMED_COMPLETION_TOKENS',
      default: 1_000,
      description:
        'Tokens that limits on tokens reserve for the answer of a call that names no maximum. Most answers of chats are shorter; raise it where they are not, or limits are passed by what was reserved too little.',
    },
    shadow: {
      type: flag,
      environment: 'RATE_LIMIT_SHADOW',
      default: false,
      description: 'Count and log what every limit on requests would refuse, and refuse nothing.',
    },
  },
  overload: {
    enabled: {
      type: flag,
      environment: 'HOLDFAST_OVERLOAD_ENABLED',
      default: true,
      description:
        'Whether a growing part of the requests is refused with 503 while the server has too much to do. `/health` and `/metrics` never are.',
    },
    eventLoopDelayMs: {
      type: integer(0, 60_000),
      environment: 'HOLDFAST_OVERLOAD_EVENT_LOOP_DELAY_MS',
      default: 500,
      description:
        'The turn of the event loop that a request finds, on average of half a second and twice within two, in milliseconds, beyond which requests are refused. A call takes some ten turns of the loop: at 500 it is late by seconds. `0` does not look at it.',
    },
    memoryPercent: {
      type: integer(0, 100),
      environment: 'HOLDFAST_OVERLOAD_MEMORY_PERCENT',
      default: 90,
      description:
        'Part of the JavaScript heap, and of the memory limit, beyond which every request is refused: both end the process when they are full. `0` does not look at them.',
    },
    memoryLimitBytes: {
      type: integer(67_108_864, 1_125_899_906_842_624),
      environment: 'HOLDFAST_OVERLOAD_MEMORY_LIMIT_BYTES',
      default: undefined,
      defaultText: 'the limit of the container (cgroup), otherwise the memory of the machine',
      description:
        'What this process may use, in bytes. Set it below the limit of the container where the embedded database, or something else, runs in the same one.',
    },
    maxRequestsInProgress: {
      type: integer(0, 1_000_000),
      environment: 'HOLDFAST_OVERLOAD_MAX_REQUESTS_IN_PROGRESS',
      default: 10_000,
      description:
        'Requests in progress, running streams included, beyond which further ones are refused. A stream takes about 0.2 MB: 10,000 are half of the heap that Node has by default. Keep it below the limit of open files, of which a call takes two. `0` does not look at it.',
    },
    maxLedgerQueue: {
      type: integer(0, 1_000_000),
      environment: 'HOLDFAST_OVERLOAD_MAX_LEDGER_QUEUE',
      default: 5_000,
      description:
        'Rows that wait to be committed to the ledger beyond which requests are refused: twenty full commits. Their answers wait with them. `0` does not look at it.',
    },
  },
  abuse: abuseSettings,
  health: healthSettings,
  alerts: alertSettings,
  cors: {
    origins: {
      type: listOf(corsOrigin, 'origins like `https://app.example.com` without a path, or `*`'),
      environment: 'HOLDFAST_CORS_ORIGINS',
      default: [] as readonly string[],
      defaultText: 'none',
      description:
        'Origins whose pages may call the API from a browser. Comma-separated in the environment, a list in the file. `*` allows all of them.',
    },
  },
  log: {
    level: {
      type: logLevel,
      environment: 'LOG_LEVEL',
      default: 'info',
      description:
        'Least level that is logged. Case does not matter. A reload puts it in force; `holdfast log-level` changes it until then.',
    },
    file: {
      type: filePath('a path'),
      environment: 'LOG_FILE',
      default: undefined,
      defaultText: 'standard output',
      description: 'File to append the log to, in place of standard output. Made anew when somebody removes it or moves it away.',
    },
    maxFileBytes: {
      type: integer(0, 1_099_511_627_776),
      environment: 'LOG_FILE_MAX_BYTES',
      default: 104_857_600,
      defaultText: '104857600 (100 MiB)',
      description: 'Bytes from which on the file becomes `<file>.1`, and that `<file>.2`, to make room for a new one. `0`: never.',
    },
    maxFiles: {
      type: integer(0, 10_000),
      environment: 'LOG_FILE_MAX_FILES',
      default: 10,
      description: 'Files that are kept beside the current one.',
    },
    maxFileAgeHours: {
      type: integer(0, 87_600),
      environment: 'LOG_FILE_MAX_AGE_HOURS',
      default: 0,
      defaultText: '`0`: however old they are',
      description: 'Hours after which such a file is removed, looked at when the file is full.',
    },
    json: {
      type: flag,
      environment: 'LOG_JSON_FORMAT',
      default: undefined,
      defaultText: '`false` on a terminal, otherwise `true`',
      description: 'Whether lines are JSON objects, or made for the eye.',
    },
    clientAddresses: {
      type: choice(['pseudonym', 'full']),
      environment: 'LOG_CLIENT_ADDRESSES',
      default: 'pseudonym',
      description:
        "How the addresses of clients are written in logs, traces and reports: as pseudonyms, which are the same for one client (of IPv6, one network) until midnight UTC and tell nothing without the master key, or in full. Bans keep addresses for the operator's eyes either way.",
    },
  },
  ...observationSettings,
  tracing: tracingSettings,
  sentry: sentrySettings,
  metrics: {
    enabled: {
      type: flag,
      environment: 'HOLDFAST_METRICS_ENABLED',
      default: true,
      description: 'Whether metrics are gathered and served at `/metrics`.',
    },
    token: {
      secret: true,
      environment: 'METRICS_TOKEN',
      expected: '16 to 256 visible ASCII characters without spaces',
      accepts: isMetricsToken,
      description:
        'What Prometheus has to send to read `/metrics`: `Authorization: Bearer <token>`. Without it `/metrics` is open to all who reach it.',
    },
    maxOrganizations: {
      type: integer(0, 10_000),
      environment: 'HOLDFAST_METRICS_MAX_ORGANIZATIONS',
      default: 200,
      description:
        'Organizations whose calls, tokens and cost are counted each for itself, in the order in which they come; further ones are counted together as `other`. Each takes 11 series. `0` counts none: the ledger has them anyway.',
    },
  },
} as const satisfies Readonly<Record<string, SettingSection>>;

export type Settings = SettingValues<typeof settings>;

export interface SettingEntry {
  readonly section: string;
  readonly name: string;
  readonly setting: Setting<unknown> | SecretSetting;
}

/** The table as one list, in its order. */
export const settingEntries: readonly SettingEntry[] = Object.entries<SettingSection>(settings).flatMap(([section, rows]) =>
  Object.entries(rows).map(([name, setting]) => ({ section, name, setting })),
);

function isPostgresUrl(value: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(value) && URL.canParse(value);
}

function isMetricsToken(value: string): boolean {
  return /^[\x21-\x7e]{16,256}$/.test(value);
}

function isFitForKey(value: string): boolean {
  return /^[\x21-\x7e]{32,256}$/.test(value) && new Set(value).size >= 8;
}

/** The outer form only, so that a wrong one is in the list of faults; the key ring reads it in earnest. Several keys: one per line. */
function isMasterKeyText(value: string): boolean {
  const words = value
    .split(/[\n,]/)
    .map((word) => word.trim())
    .filter((word) => word !== '' && !word.startsWith('#'));
  return words.length > 0 && words.every((word) => /^(?:\d{1,10}:)?(?:[0-9a-f]{64}|[\w+/-]{43}=?)$/i.test(word));
}
