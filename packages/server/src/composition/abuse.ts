import { createAbuseWatch, createClientIpResolver, type AbuseWatch, type BanBook, type ClientIpResolver } from '@holdfast/kit/security';
import type { Metrics } from '@holdfast/kit/telemetry';
import type { Random } from '@holdfast/kit/time';
import type { HttpServerOptions } from '../entry/http/index.ts';
import { createAcceptedClients, createClientBans, createRefusalWatch } from '../features/abuse/index.ts';
import { openBanBook, type BanBookOptions } from './ban-book.ts';
import { readCountries } from './countries.ts';
import type { Identity } from './identity.ts';
import { serverMetrics } from './metric-catalogue.ts';

export interface AbuseOptions extends BanBookOptions {
  readonly random: Random;
  readonly identity: Pick<Identity, 'authenticate' | 'remembers'>;
  readonly metrics: Metrics | undefined;
}

export interface Abuse {
  readonly bans: BanBook;
  /** Whom sign-ins and sessions are told to; undefined when abuse is not looked for. */
  readonly watch: AbuseWatch | undefined;
  /** What the door needs of it. */
  readonly door: Pick<HttpServerOptions, 'clientIp' | 'bans' | 'onRefusal' | 'onAuthenticated'>;
}

/** Who is shut out, and those who find out whom to. A ban that a person made holds also where nobody is looked for. */
export async function openAbuse(options: AbuseOptions): Promise<Abuse> {
  const { configuration, clock, random, identity, metrics } = options;
  const { enabled, shadow, scanningThreshold, scanningWindowMs, keyGuessingThreshold, keyGuessingWindowMs, networkFactor, travelWithinMs } =
    configuration.abuse;
  const countries = await readCountries(configuration.abuse.geoipFile);
  const bans = await openBanBook(options);
  metrics?.addGauge(serverMetrics.bansActive, () => bans.count());
  const { authenticate, remembers } = identity;
  const door = {
    clientIp: clientIpResolver(configuration.server),
    bans: createClientBans({ book: bans, clock, isRemembered: remembers, authenticate }),
  };
  if (!enabled) return { bans, watch: undefined, door };
  const watch = createAbuseWatch({
    clock,
    random,
    bans,
    shadow,
    scanning: { threshold: scanningThreshold, windowMs: scanningWindowMs },
    keyGuessing: { threshold: keyGuessingThreshold, windowMs: keyGuessingWindowMs },
    network: { factor: networkFactor === 0 ? Number.POSITIVE_INFINITY : networkFactor },
    travel: { withinMs: travelWithinMs },
    ...(countries && { countries }),
  });
  return {
    bans,
    watch,
    door: {
      ...door,
      onRefusal: createRefusalWatch({ watch, trustsProxies: door.clientIp.header !== undefined, authenticate }),
      onAuthenticated: createAcceptedClients(watch, clock),
    },
  };
}

function clientIpResolver(server: AbuseOptions['configuration']['server']): ClientIpResolver {
  const { trustedProxies, trustedHops, forwardingHeader, ipv6PrefixLength } = server;
  return createClientIpResolver({ trustedProxies, trustedHops, header: forwardingHeader, ipv6PrefixLength });
}
