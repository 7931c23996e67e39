import type { Settings } from './settings.ts';
import { variable, type Sources } from './sources.ts';

/** Values that are right one by one and wrong together. `where` is where the one stands that is named first. */
export function refuseContradictions(sources: Sources, values: Settings): void {
  const { faults, origins } = sources;
  const contradiction = (setting: string, problem: string, hint: string): void => {
    faults.add({ where: origins.get(setting)?.text ?? 'configuration', setting, problem, hint });
  };
  const { server, database, secrets, abuse, audit, cors } = values;

  if (server.headersTimeoutMs > server.requestTimeoutMs && origins.get('server.headersTimeoutMs')?.source !== 'default') {
    contradiction(
      'server.headersTimeoutMs',
      `it is longer than server.requestTimeoutMs (${server.headersTimeoutMs} > ${server.requestTimeoutMs}), so it would never be reached.`,
      'Lower it, or raise HOLDFAST_REQUEST_TIMEOUT_MS.',
    );
  }
  if (server.trustedHops > 0 && server.trustedProxies.length > 0) {
    contradiction(
      'server.trustedHops',
      'server.trustedProxies is set too, and each says whom to trust in its own way.',
      'Keep trustedProxies; trustedHops is for proxies without fixed addresses.',
    );
  }
  if (abuse.banMaxMs < abuse.banFirstMs && origins.get('abuse.banMaxMs')?.source !== 'default') {
    contradiction(
      'abuse.banMaxMs',
      `it is shorter than abuse.banFirstMs (${abuse.banMaxMs} < ${abuse.banFirstMs}).`,
      'Raise it, or lower abuse.banFirstMs.',
    );
  }
  // A master key that is there and faulty has its own line.
  const hasMasterKey =
    secrets.masterKey !== undefined ||
    ['HOLDFAST_MASTER_KEY', 'HOLDFAST_MASTER_KEY_FILE'].some((name) => variable(sources, name) !== undefined);
  if (database.url !== undefined && !hasMasterKey) {
    contradiction(
      'database.url',
      'with a database of your own a master key has to be set, since all instances share it.',
      'Set HOLDFAST_MASTER_KEY or HOLDFAST_MASTER_KEY_FILE; `openssl rand -base64 32` makes one.',
    );
  }
  const { endpoint, tracesEndpoint, exporter } = values.tracing;
  if (values.sentry.dsn !== undefined && values.sentry.tracesSampleRate > 0 && (endpoint ?? tracesEndpoint ?? exporter) !== undefined) {
    contradiction(
      'sentry.tracesSampleRate',
      'traces have another receiver already, and there is one for all of them.',
      'Set it to 0, or remove tracing.exporter and the endpoints of tracing; a collector can hand traces on to Sentry.',
    );
  }
  if ((audit.publishWebhookUrl === undefined) !== (audit.publishWebhookSecret === undefined)) {
    contradiction(
      audit.publishWebhookUrl === undefined ? 'audit.publishWebhookSecret' : 'audit.publishWebhookUrl',
      'a webhook has an address and a secret, and only one of them is set.',
      'Set HOLDFAST_AUDIT_PUBLISH_WEBHOOK_URL and HOLDFAST_AUDIT_PUBLISH_WEBHOOK_SECRET, or neither.',
    );
  }
  if (audit.publishBucketUrl !== undefined && (audit.publishAccessKeyId === undefined || audit.publishSecretAccessKey === undefined)) {
    contradiction(
      'audit.publishBucketUrl',
      'nobody puts objects into a bucket without a key.',
      'Set HOLDFAST_AUDIT_PUBLISH_ACCESS_KEY_ID and HOLDFAST_AUDIT_PUBLISH_SECRET_ACCESS_KEY.',
    );
  }
  if (cors.origins.includes('*') && cors.origins.length > 1) {
    contradiction('cors.origins', '`*` allows every origin, and others are listed beside it.', 'Keep one or the other.');
  }
}
