import type { SettingSection } from './setting.ts';
import { filePath, flag, integer, ipRange, listOf } from './value-types.ts';

/** `abuse:` of the file: who is looked for, what is too much, and how long bans last. */
export const abuseSettings = {
  enabled: {
    type: flag,
    environment: 'HOLDFAST_ABUSE_ENABLED',
    default: true,
    description:
      'Whether scanning of endpoints and guessing of keys are looked for, and end in a ban. Off, bans that people make hold all the same.',
  },
  shadow: {
    type: flag,
    environment: 'HOLDFAST_ABUSE_SHADOW',
    default: false,
    description: 'Log and count what would be banned, and ban nobody by itself. To try thresholds.',
  },
  neverBanned: {
    type: listOf(ipRange, 'a list of addresses, CIDR ranges, `loopback`, `private` and `linklocal`'),
    environment: 'HOLDFAST_ABUSE_NEVER_BANNED',
    default: [] as readonly string[],
    defaultText: 'none',
    description:
      'Addresses that are let in whatever they do: your monitoring, your office. Loopback and trusted proxies always are. Comma-separated in the environment, a list in the file.',
  },
  scanningThreshold: {
    type: integer(1, 1_000_000),
    environment: 'HOLDFAST_ABUSE_SCANNING_THRESHOLD',
    default: 20,
    description:
      'Different paths without a route that a client may ask for in the window, without a good key. Those that only scanners ask for, such as `/.env`, count five times.',
  },
  scanningWindowMs: {
    type: integer(1_000, 86_400_000),
    environment: 'HOLDFAST_ABUSE_SCANNING_WINDOW_MS',
    default: 300_000,
    description: 'The window of `scanningThreshold`, in milliseconds.',
  },
  keyGuessingThreshold: {
    type: integer(1, 1_000_000),
    environment: 'HOLDFAST_ABUSE_KEY_GUESSING_THRESHOLD',
    default: 10,
    description:
      'Different keys that nobody has that a client may show in the window; five times as many where a good key was used in the last day.',
  },
  keyGuessingWindowMs: {
    type: integer(1_000, 86_400_000),
    environment: 'HOLDFAST_ABUSE_KEY_GUESSING_WINDOW_MS',
    default: 300_000,
    description: 'The window of `keyGuessingThreshold`, in milliseconds.',
  },
  networkFactor: {
    type: integer(0, 1_000_000),
    environment: 'HOLDFAST_ABUSE_NETWORK_FACTOR',
    default: 10,
    description:
      'An IPv6 network of 48 bits, which is what a site is given, may do so many times as much as one client before it is banned as a whole. `0` never bans one. Raise it where many clients come from one mobile carrier.',
  },
  banFirstMs: {
    type: integer(1_000, 31_536_000_000),
    environment: 'HOLDFAST_ABUSE_BAN_FIRST_MS',
    default: 300_000,
    description: 'How long the first ban by a detector lasts, in milliseconds.',
  },
  banFactor: {
    type: integer(1, 100),
    environment: 'HOLDFAST_ABUSE_BAN_FACTOR',
    default: 2,
    description: 'Each further ban of a client lasts so many times as long as the one before. `1` keeps them all alike.',
  },
  banMaxMs: {
    type: integer(1_000, 31_536_000_000),
    environment: 'HOLDFAST_ABUSE_BAN_MAX_MS',
    default: 86_400_000,
    defaultText: '86400000 (a day)',
    description: 'No ban by a detector lasts longer, in milliseconds.',
  },
  banForgetAfterMs: {
    type: integer(0, 31_536_000_000),
    environment: 'HOLDFAST_ABUSE_BAN_FORGET_AFTER_MS',
    default: 86_400_000,
    defaultText: '86400000 (a day)',
    description: 'So long after the end of its last ban a client begins at `banFirstMs` again, in milliseconds.',
  },
  geoipFile: {
    type: filePath('a path'),
    environment: 'HOLDFAST_GEOIP_FILE',
    default: undefined,
    defaultText: 'none: travel is not looked at',
    description:
      'Country database in the MaxMind format (GeoLite2-Country, DB-IP Lite), to tell when a person is seen in two countries within `travelWithinMs`. Only told, never a reason for a ban. Read at the start.',
  },
  travelWithinMs: {
    type: integer(1_000, 31_536_000_000),
    environment: 'HOLDFAST_ABUSE_TRAVEL_WITHIN_MS',
    default: 3_600_000,
    description: 'Milliseconds within which a change of country is told.',
  },
} as const satisfies SettingSection;
