/** To whom and to what a line belongs. */
export interface LogIds {
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  readonly callId?: string | undefined;
  readonly jobId?: string | undefined;
  readonly organizationId?: string | undefined;
  readonly keyId?: string | undefined;
  readonly userId?: string | undefined;
}

/**
 * The ids as members of a line, by the names that all lines have them by; those that are not known are left out. For one line
 * `logger.warn({ ...logIds(ids), … })`, for all lines of a job or a stream `logger.child(logIds(ids))`.
 */
export function logIds(ids: LogIds): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {};
  if (ids.requestId !== undefined) fields['request_id'] = ids.requestId;
  if (ids.traceId !== undefined) fields['trace_id'] = ids.traceId;
  if (ids.callId !== undefined) fields['call_id'] = ids.callId;
  if (ids.jobId !== undefined) fields['job_id'] = ids.jobId;
  if (ids.organizationId !== undefined) fields['organization_id'] = ids.organizationId;
  if (ids.keyId !== undefined) fields['key_id'] = ids.keyId;
  if (ids.userId !== undefined) fields['user_id'] = ids.userId;
  return fields;
}
