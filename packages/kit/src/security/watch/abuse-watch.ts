import type { Clock, Random } from '../../time/index.ts';
import type { BanBook } from '../bans/index.ts';
import type { ClientIp } from '../client-ip/index.ts';
import {
  createEndpointScanning,
  createKeyGuessing,
  createSignInGuessing,
  createTravelDetector,
  KnownTable,
  scannerNamed,
  type CountryLookup,
  type EndpointScanningOptions,
  type Finding,
  type KeyGuessingOptions,
  type SignInAttempt,
  type SignInGuessingOptions,
  type TravelOptions,
} from '../detectors/index.ts';
import { withDefaults } from '../options.ts';
import type { IpRange } from '../ip/index.ts';
import { abuseDetected } from './announcements.ts';
import { NetworkWatch, type NetworkFinding, type NetworkOptions } from './network-watch.ts';

export interface AbuseWatchOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Where bans go. */
  readonly bans: Pick<BanBook, 'ban'>;
  /** Detect and announce, and ban nobody: try new thresholds like that. Default false. */
  readonly shadow?: boolean;
  /** Where programs with keys call. Nothing that they do there counts, whatever the path, unless their key was refused. Default `['/v1/']`. */
  readonly callPaths?: readonly string[];
  readonly scanning?: EndpointScanningOptions;
  readonly keyGuessing?: KeyGuessingOptions;
  readonly signIn?: SignInGuessingOptions;
  /** IPv6 networks as a whole, against whoever changes clients within one. */
  readonly network?: NetworkOptions;
  readonly travel?: TravelOptions;
  /** Without one, travel is not looked at. */
  readonly countries?: CountryLookup;
}

export const abuseWatchDefaults = Object.freeze({ shadow: false, callPaths: Object.freeze(['/v1/']) as readonly string[] });

/** What is known of the key of a request. `unchecked`: one was sent, and nobody looked, since no route asked for it. */
export type CredentialState = 'absent' | 'accepted' | 'refused' | 'unchecked';

export interface UnansweredRequest {
  readonly client: ClientIp;
  /** Without the query. */
  readonly path: string;
  readonly credential: CredentialState;
  readonly userAgent?: string | undefined;
}

export interface RefusedKey {
  readonly client: ClientIp;
  /** What was shown as a key. Not kept. */
  readonly credential: string;
  readonly userAgent?: string | undefined;
}

/** Tells the detectors what happens, and bans whom they found: the one place that knows whom never to ban. */
export interface AbuseWatch {
  /** A request whose path no route knows, or whose answer was 404 to somebody without a key. */
  notFound(request: UnansweredRequest): void;
  /** A key that nobody has. Do not tell of one that expired, was revoked, or may not do what was asked: it was not guessed. */
  keyRefused(request: RefusedKey): void;
  keyAccepted(client: ClientIp): void;
  /** Before a password is looked at. */
  signInBegins(client: ClientIp, account: string): WatchedSignIn;
  /** The account knows this client, from a session that is stored. */
  signInKnown(client: ClientIp, account: string): void;
  /** A person was recognised, by a session or a sign-in. */
  personSeen(subject: string, client: ClientIp): void;
}

export interface WatchedSignIn extends Pick<SignInAttempt, 'allowed' | 'retryAfterMs' | 'delayMs'> {
  failed(): void;
  succeeded(): void;
}

/** What looks like a scanner makes what it does count twice. */
const scannerFactor = 2;
const toolQuietMs = 3_600_000;
const maxTools = 10_000;

/** Throws `configuration_invalid`. */
export function createAbuseWatch(options: AbuseWatchOptions): AbuseWatch {
  const { clock, random, bans, scanning, keyGuessing, signIn, network, travel, countries, ...given } = options;
  const { shadow, callPaths } = withDefaults<Pick<AbuseWatchOptions, 'shadow' | 'callPaths'>>('the abuse watch', abuseWatchDefaults, given);
  const scans = createEndpointScanning(clock, random, scanning);
  const keys = createKeyGuessing(clock, random, keyGuessing);
  const signIns = createSignInGuessing(clock, random, signIn);
  const networks = new NetworkWatch({ clock, random, network, scanning, keyGuessing, signIn });
  const travels = countries && createTravelDetector(clock, countries, travel);
  const toolsTold = new KnownTable(clock, toolQuietMs, maxTools);

  function act(client: ClientIp, finding: Finding | undefined, range: IpRange = client.key): void {
    if (finding === undefined) return;
    // The book passes over loopback and what it was told never to ban; only here is it known that an address stands for a proxy by its place.
    const ban = finding.advice === 'ban' && !shadow && !client.isTrustedProxy ? bans.ban(range, finding.kind) : undefined;
    abuseDetected.publish({ ...finding, ban });
  }

  function actOnNetwork(client: ClientIp, found: NetworkFinding | undefined): void {
    if (found !== undefined) act(client, found.finding, found.range);
  }

  /** What it calls itself is told, weighs, and never bans. */
  function factorOf(client: ClientIp, userAgent: string | undefined): number {
    const tool = scannerNamed(userAgent);
    if (tool === undefined) return 1;
    const key = client.key.text;
    if (!toolsTold.has(key)) {
      toolsTold.note(key);
      act(client, { kind: 'automated_tool', advice: 'flag', client: key, subject: null, evidence: { tool } });
    }
    return scannerFactor;
  }

  function isCall(path: string, credential: CredentialState): boolean {
    return credential === 'unchecked' && callPaths.some((prefix) => path.startsWith(prefix));
  }

  return {
    notFound({ client, path, credential, userAgent }) {
      if (credential === 'accepted' || isCall(path, credential)) return;
      const factor = factorOf(client, userAgent);
      act(client, scans.notFound(client.key.text, path, factor));
      actOnNetwork(client, networks.notFound(client, path, factor));
    },
    keyRefused({ client, credential, userAgent }) {
      const factor = factorOf(client, userAgent);
      act(client, keys.refused(client.key.text, credential, factor));
      actOnNetwork(client, networks.keyRefused(client, credential, factor));
    },
    keyAccepted(client) {
      keys.accepted(client.key.text);
      networks.keyAccepted(client);
    },
    signInBegins(client, account) {
      let open = true;
      const attempt = signIns.begin(client.key.text, account, client.isTrustedProxy || client.address.isLoopback);
      return {
        allowed: attempt.allowed,
        retryAfterMs: attempt.retryAfterMs,
        delayMs: attempt.delayMs,
        failed() {
          if (!open) return;
          open = false;
          for (const finding of attempt.failed()) act(client, finding);
          actOnNetwork(client, networks.signInFailed(client, account));
        },
        succeeded() {
          open = false;
          attempt.succeeded();
        },
      };
    },
    signInKnown: (client, account) => signIns.know(client.key.text, account),
    personSeen: (subject, client) => act(client, travels?.seen(subject, client)),
  };
}
