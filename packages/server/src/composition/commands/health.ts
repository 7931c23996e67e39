import { diagnosis, endpointTestReport, healthReport } from '@holdfast/contracts';
import type { CliDependencies } from '../../entry/cli/index.ts';
import { createServerClient } from '../../platform/server-client/index.ts';
import { readServerAddress } from '../server-address.ts';

/** Each question to the database may take two seconds, and a call to a provider twenty. */
const timeoutMs = 120_000;

/** `holdfast health`, `diagnose` and `test-endpoints`: the running server knows how it fares, so it is asked. */
export const healthCommands: CliDependencies['health'] = async (configuration, env) => {
  const client = createServerClient({ ...readServerAddress(configuration, env), timeoutMs });
  return {
    detailed: async () => healthReport.parse(await client.get('/api/health/detailed')),
    diagnose: async (callProviders) =>
      diagnosis.parse(await client.get(`/api/health/diagnostics${callProviders ? '?call_providers=true' : ''}`)),
    testEndpoints: async () => endpointTestReport.parse(await client.post('/api/health/test-endpoints', undefined)),
  };
};
