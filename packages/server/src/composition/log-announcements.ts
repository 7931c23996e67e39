import { alertChanged, alertDelivered, alertRuleUnread, alertStoreLost, alertStoreRecovered } from '@holdfast/kit/alerts';
import { attemptFailed } from '@holdfast/kit/llm';
import { abuseDetected, banAdded, banEvicted, banLifted, banStoreLost, banStoreRecovered, type Ban } from '@holdfast/kit/security';
import { dependencyHealthChanged } from '@holdfast/kit/health';
import { operationSlow, type EventChannel } from '@holdfast/kit/events';
import { settlementLost, storeLost, storeRecovered, takeDecided } from '@holdfast/kit/ratelimit';
import { breakerChanged, breakerStoreFailed, overloadBegan, overloadEnded } from '@holdfast/kit/resilience';
import { logIds, type Log } from '@holdfast/kit/telemetry';
import type { Clock } from '@holdfast/kit/time';
import { checkpointPublishAttempted } from '../features/audit/index.ts';
import { breakerMoved } from '../features/breakers/index.ts';
import { auditBatchRefused, auditEventsRejected, auditSequencerElected, auditSequencerEnded } from '../features/audit/index.ts';
import { configurationRejected, configurationReloaded } from '../features/configuration/index.ts';
import { forwardingIgnored } from '../features/abuse/index.ts';
import {
  callsRecovered,
  costSumsFailed,
  recoveryFailed,
  spillBegan,
  spillEmptied,
  spillRefusing,
  spillReplayFailed,
} from '../features/costs/index.ts';
import { keyChanged, organizationChanged, upkeepFailed } from '../features/identity/index.ts';
import { tierUnknown } from '../features/limits/index.ts';
import { budgetOverrun, budgetThresholdReached } from '../features/costs/budgets/index.ts';
import { healthThreadEnded } from '../entry/health-port/index.ts';
import { logLevelChanged } from '../features/logging/index.ts';
import { minutesSavedAgain, minutesUnsaved } from '../features/performance/index.ts';
import { requestsUnlogged } from '../features/request-log/index.ts';
import { embeddedPostgresEnded, embeddedPostgresStarted } from '../platform/postgres/embedded/index.ts';
import { auditEventDelayed } from '../platform/audit/index.ts';
import { connectionLost, listenerStateChanged, poolExhausted, querySlow } from '../platform/postgres/index.ts';
import { redisListenerStateChanged, redisStateChanged } from '../platform/redis/index.ts';
import type { ClientNames } from './client-names.ts';
import { createShadowLog } from './shadow-log.ts';
import { spillRecordRefused, spillSetAside } from './spill.ts';

/** Writes what the server's own parts announce. Modules do not log; this is where their words become lines. Returns the function that ends it. */
export function logAnnouncements({ logger }: Log, clock: Clock, names: ClientNames): () => void {
  const stops: (() => void)[] = [];
  const banFields = (ban: Ban) => ({ ban_id: names.ofBan(ban), client: names.ofRange(ban.range) });
  function on<Message extends object>(channel: EventChannel<Message>, write: (message: Message) => void): void {
    stops.push(channel.subscribe(write));
  }

  on(auditEventDelayed, ({ type, error }) =>
    logger.warn({ type, ...(error !== undefined && { err: error }) }, 'an audit event could not be made durable in time: it is tried on'),
  );
  on(embeddedPostgresStarted, ({ pid, adopted, created, version, durationMs }) =>
    logger.info({ pid, adopted, created, version, duration_ms: Math.round(durationMs) }, 'the embedded database is running'),
  );
  on(embeddedPostgresEnded, ({ requested, ...exit }) => {
    if (!requested) logger.error(exit, 'the embedded database ended although nobody stopped it');
  });
  on(dependencyHealthChanged, ({ name, critical, status, before, message }) => {
    const fields = { dependency: name, critical, status, before, message };
    if (status === 'healthy') logger.info(fields, 'a dependency is well again');
    else logger.warn(fields, 'a dependency is not well');
  });
  on(alertChanged, ({ change, alert: { id, rule, severity, labels, value, threshold, acknowledged } }) => {
    const fields = { alert_id: id, rule, severity, labels, value, threshold };
    if (change === 'fired') logger.warn(fields, 'an alert fires');
    else if (change === 'resolved') logger.info(fields, 'an alert is resolved');
    else logger.info({ ...fields, by_key_id: acknowledged?.by }, 'an alert was acknowledged');
  });
  on(alertDelivered, ({ outcome, ...delivery }) => {
    const { deliveryId, channel, rule, kind, attempts, error } = delivery;
    const fields = { delivery_id: deliveryId, channel, rule, kind, attempts, ...(error !== undefined && { error }) };
    if (outcome === 'delivered') logger.info(fields, 'an alert was told');
    else if (outcome === 'retried') logger.warn(fields, 'an alert could not be told and will be tried again');
    else logger.error(fields, 'an alert could not be told');
  });
  on(alertRuleUnread, ({ rule, error }) => logger.warn({ rule, err: error }, 'the value of an alert rule cannot be read'));
  on(alertStoreLost, ({ error }) =>
    logger.warn({ err: error }, 'alerts cannot be shared: this instance goes by what it sees and tells it itself'),
  );
  on(alertStoreRecovered, ({ awayMs }) => logger.info({ away_ms: Math.round(awayMs) }, 'alerts are shared again'));
  on(auditSequencerElected, (election) => logger.info(election, 'this instance gives audit events their places'));
  on(auditSequencerEnded, ({ reason, error }) => {
    if (reason === 'failed') logger.error({ err: error }, 'audit events could not be given their places; they wait and it is tried again');
    else logger.info({ reason }, 'this instance gives audit events their places no more');
  });
  on(auditBatchRefused, ({ events, error }) =>
    logger.warn({ events, err: error }, 'the database refuses audit events; the one at fault is looked for'),
  );
  on(auditEventsRejected, ({ reasons }) =>
    logger.error({ reasons }, 'something in the inbox of the audit log is no event; it is kept, and the log says so'),
  );
  on(checkpointPublishAttempted, ({ destination, result, size, error }) => {
    if (result === 'failed') logger.warn({ destination, size, error }, 'a checkpoint of the audit log could not be published');
    else if (result === 'published') logger.info({ destination, size }, 'a checkpoint of the audit log was published');
  });
  on(budgetThresholdReached, ({ budget, percent, spentNanoUsd, limitNanoUsd }) => {
    const fields = { budget_id: budget.id, organization_id: budget.organizationId, percent, enforcement: budget.enforcement };
    const money = { spent_nano_usd: spentNanoUsd, limit_nano_usd: limitNanoUsd };
    if (percent < 80) logger.info({ ...fields, ...money }, 'half of a budget is spent');
    else logger.warn({ ...fields, ...money }, percent < 100 ? 'most of a budget is spent' : 'a budget is spent');
  });
  on(budgetOverrun, ({ budget, reservedNanoUsd, costNanoUsd }) =>
    logger.warn(
      { budget_id: budget.id, reserved_nano_usd: reservedNanoUsd, cost_nano_usd: costNanoUsd },
      'a call cost more than the most that it could: a provider counted what it should not, or a limit of a model in the price book is wrong',
    ),
  );
  on(healthThreadEnded, ({ error }) => logger.error({ err: error }, 'the thread that serves probes ended; another one follows'));
  on(connectionLost, ({ role, error }) => logger.warn({ role, err: error }, 'a database connection was lost'));
  let lost = false;
  on(listenerStateChanged, (change) => {
    if (change.connected && lost) logger.info('the database announces changes of keys and bans again');
    else if (change.lost) logger.warn('the database cannot announce changes of keys and bans: they are asked for until it can');
    lost = !change.connected && (lost || change.lost);
  });
  on(poolExhausted, (pool) => logger.warn(pool, 'all database connections of a pool are busy'));
  on(querySlow, ({ role, durationMs, statement }) =>
    logger.warn({ role, duration_ms: Math.round(durationMs), statement }, 'a slow statement'),
  );
  on(operationSlow, ({ kind, name, durationMs, thresholdMs, failed, requestId, traceId, organizationId, userId }) => {
    // A statement has its own line above, which shows it.
    if (kind === 'database') return;
    logger.warn(
      {
        ...logIds({ requestId, traceId, organizationId, userId }),
        kind,
        name,
        duration_ms: Math.round(durationMs),
        threshold_ms: thresholdMs,
        failed,
      },
      `a slow ${kind.replace('_', ' ')}`,
    );
  });
  on(requestsUnlogged, ({ dropped, error }) =>
    logger.warn({ dropped, ...(error !== undefined && { err: error }) }, 'requests are missing from the request log'),
  );
  on(logLevelChanged, ({ from, to, by, keyId }) => {
    // At whatever level the log is.
    logger.fatal({ from, to, by, ...logIds({ keyId }) }, 'the log level changed');
  });
  on(minutesUnsaved, ({ error }) => logger.warn({ err: error }, 'metrics cannot be stored: they are kept in memory for an hour'));
  on(minutesSavedAgain, ({ lostMinutes }) => logger.info({ lost_minutes: lostMinutes }, 'metrics are stored again'));
  on(redisStateChanged, ({ connected, error, awayMs }) => {
    if (connected) logger.info({ ...(awayMs !== undefined && { away_ms: Math.round(awayMs) }) }, 'Redis is connected');
    else logger.warn({ err: error }, 'Redis cannot be reached: this instance goes on by itself until it can');
  });
  on(redisListenerStateChanged, ({ connected, error }) => {
    if (connected) logger.info('Redis announces the changes of other instances');
    else if (error !== undefined)
      logger.warn({ err: error }, 'Redis cannot announce the changes of other instances: they are asked for until it can');
  });
  on(breakerChanged, ({ name, from, to, reason, recoveryMs }) => {
    const fields = { breaker: name, from, reason };
    if (to === 'closed') logger.info(fields, 'a circuit breaker closed');
    else if (to === 'half_open') logger.info(fields, 'a circuit breaker lets a probe through');
    else if (recoveryMs === Number.POSITIVE_INFINITY) logger.warn(fields, 'a circuit breaker is open until somebody closes it');
    else logger.warn({ ...fields, recovery_ms: Math.round(recoveryMs ?? 0) }, 'a circuit breaker opened');
  });
  on(breakerStoreFailed, ({ name, action, error }) => {
    // That nothing is heard of the others has its own line, once for all of them.
    if (action === 'watch') return;
    logger.warn(
      { breaker: name, action, err: error },
      'the state of a circuit breaker could not be shared: this instance goes on by itself',
    );
  });
  on(breakerMoved, ({ name, action, forSeconds, keyId, organizationId, shared }) =>
    logger.warn(
      { breaker: name, action, for_seconds: forSeconds, key_id: keyId, organization_id: organizationId, shared },
      'an operator moved a circuit breaker',
    ),
  );
  on(upkeepFailed, ({ task, error }) => logger.warn({ task, err: error }, 'the upkeep of keys failed and will be tried again'));
  on(keyChanged, ({ action, keyId, organizationId, byKeyId }) =>
    logger.info({ action, key_id: keyId, organization_id: organizationId, by_key_id: byKeyId }, 'a key changed'),
  );
  on(organizationChanged, ({ organizationId, tier, byKeyId }) =>
    logger.info({ organization_id: organizationId, tier, by_key_id: byKeyId }, 'an organization changed'),
  );
  on(storeLost, ({ instances, error }) =>
    logger.warn({ instances, err: error }, 'Redis does not decide on limits: this instance limits by its share until it does'),
  );
  on(storeRecovered, ({ instances, awayMs }) => logger.info({ instances, away_ms: Math.round(awayMs) }, 'Redis decides on limits again'));
  on(settlementLost, ({ policies, error }) =>
    logger.warn({ levels: policies, err: error }, 'what was given back to limits did not reach Redis: it drains there'),
  );
  const logShadow = createShadowLog(clock, ({ level, key, count }) =>
    logger.warn({ level, key: names.ofKey(key), count }, 'a limit in shadow would have refused requests'),
  );
  on(takeDecided, logShadow);
  on(tierUnknown, ({ tier, organizationId }) =>
    logger.warn({ tier, organization_id: organizationId }, 'an organization has a tier that is not configured, and is limited as basic'),
  );
  on(forwardingIgnored, ({ address }) =>
    logger.warn(
      { client: names.ofRange(address) },
      'a forwarding header is ignored: if this is a proxy of yours, name it in server.trustedProxies, or all its clients are one',
    ),
  );
  on(abuseDetected, ({ kind, client: range, evidence, ban }) => {
    const client = names.ofRange(range);
    // Not whom it is about: an account is a person's.
    if (ban)
      logger.warn(
        { detector: kind, client, ban_id: names.ofBan(ban), until: momentOf(ban.endsAtMs), ...evidence },
        'abuse: the client is banned',
      );
    else logger.warn({ detector: kind, client, ...evidence }, 'abuse: the client is not banned for it');
  });
  // Automatic ones are told by the line above.
  on(banAdded, ({ ban }) => {
    if (ban.source === 'manual')
      logger.warn({ ...banFields(ban), until: momentOf(ban.endsAtMs), by_key_id: ban.by }, 'an operator banned addresses');
  });
  on(banLifted, ({ ban, by }) => logger.warn({ ...banFields(ban), reason: ban.reason, by_key_id: by }, 'an operator lifted a ban'));
  on(banEvicted, ({ ban }) => logger.warn(banFields(ban), 'there are too many bans: one was forgotten before its end'));
  on(banStoreLost, ({ error }) => logger.warn({ err: error }, 'bans cannot be shared: this instance goes on with those that it knows'));
  on(banStoreRecovered, ({ awayMs }) => logger.info({ away_ms: Math.round(awayMs) }, 'bans are shared again'));
  on(attemptFailed, ({ target, error, ...ids }) =>
    logger.warn({ ...logIds(ids), target, err: error }, 'an attempt failed and another one follows'),
  );
  on(callsRecovered, ({ interrupted }) => logger.warn({ interrupted }, 'calls of an instance that died are in the ledger as interrupted'));
  on(recoveryFailed, ({ error }) =>
    logger.warn({ err: error }, 'the calls of dead instances could not be settled and will be tried again'),
  );
  on(costSumsFailed, ({ error }) =>
    logger.warn({ err: error }, 'sums of costs or prices could not be kept and will be tried again: reports read the ledger meanwhile'),
  );

  on(spillBegan, ({ maxBytes }) =>
    logger.warn({ max_bytes: maxBytes }, 'the database is away: calls are served, and recorded on this disk until it is back'),
  );
  on(spillRefusing, ({ reason, bytes, maxBytes, error }) => {
    const fields = { bytes, max_bytes: maxBytes, err: error };
    if (reason === 'full') logger.error(fields, 'the disk space for calls is used up: calls are refused until the database is back');
    else logger.error(fields, 'the disk takes no records of calls, and the database is away: calls are refused until one of them is back');
  });
  on(spillEmptied, ({ rows, superseded, intents, events, awayMs }) => {
    const fields = { rows, superseded, intents, events, ...(awayMs !== undefined && { away_ms: Math.round(awayMs) }) };
    if (awayMs === undefined)
      logger.warn(fields, 'an earlier process had left records of calls on this disk: they are in the database now');
    else logger.warn(fields, 'the records of calls on this disk are in the database now');
  });
  on(spillReplayFailed, ({ error }) =>
    logger.warn(
      { err: error },
      'the records of calls on this disk could not be brought to the database yet: they stay, and it is tried again',
    ),
  );
  on(spillSetAside, ({ path, reason, salvaged, error }) => {
    const fields = { file: path, salvaged, err: error };
    if (reason === 'key')
      logger.error(
        fields,
        'records of calls are sealed with a master key that is not configured: they stay on this disk until a start knows it',
      );
    else if (reason === 'missing')
      logger.error(fields, 'a file with records of calls was removed from this disk before they were in the database');
    else
      logger.error(fields, 'a file with records of calls is damaged: what could be read of it is in the database, the file was set aside');
  });
  on(spillRecordRefused, ({ folder, error }) =>
    logger.error({ folder, err: error }, 'the database refuses the record of a call for good: it was set aside'),
  );

  on(overloadBegan, ({ reason, signals }) => logger.warn({ reason, signals }, 'too much to do: a part of the requests is refused'));
  on(overloadEnded, ({ reason, durationMs }) =>
    logger.warn({ reason, duration_ms: Math.round(durationMs) }, 'every request is let in again'),
  );
  on(configurationReloaded, ({ by, result, changes, restartRequired, digest, durationMs }) => {
    const fields = { by, changes, restart_required: restartRequired, digest, duration_ms: Math.round(durationMs) };
    if (restartRequired.length > 0) logger.warn({ result, ...fields }, 'the configuration was reloaded; some settings wait for a restart');
    else logger.info({ result, ...fields }, 'the configuration was reloaded');
  });
  on(configurationRejected, ({ by, faults }) =>
    logger.error({ by, faults }, 'the new configuration has faults: the old one stays in force'),
  );

  return () => {
    for (const stop of stops) stop();
  };
}

function momentOf(unixMs: number | null): string | null {
  return unixMs === null ? null : new Date(unixMs).toISOString();
}
