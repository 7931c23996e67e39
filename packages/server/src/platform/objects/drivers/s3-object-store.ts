import { createHash } from 'node:crypto';
import { HoldfastError } from '@holdfast/kit/errors';
import type { Clock } from '@holdfast/kit/time';
import { request } from 'undici';
import type { ObjectStore } from '../object-store.ts';
import { encodeOnce, signRequest, type S3Credentials } from '../sign-request.ts';

export interface S3ObjectStoreOptions {
  /** Of the bucket, in either style: `https://bucket.s3.eu-central-1.amazonaws.com`, `https://minio.example.com/bucket`. */
  readonly bucketUrl: string;
  readonly region: string;
  readonly credentials: S3Credentials;
  readonly clock: Clock;
}

/** Statuses that may be others the next time. 409: somebody else is putting the same name at this moment. */
const mayPass: ReadonlySet<number> = new Set([408, 409, 425, 429]);
const maxAnswerBytes = 65_536;

/** Objects over S3's wire, signed with Signature Version 4. Redirects are refused, and nothing of an answer is kept. */
export function createS3ObjectStore({ bucketUrl, region, credentials, clock }: S3ObjectStoreOptions): ObjectStore {
  const base = bucketUrl.replace(/\/+$/, '');
  return {
    async putNew({ key, body, contentType }, { signal }) {
      const url = new URL(`${base}/${key.split('/').map(encodeOnce).join('/')}`);
      const headers = {
        'content-type': contentType,
        // Buckets with a lock on objects ask for it.
        'content-md5': createHash('md5').update(body).digest('base64'),
        // Where it is not known, an object of the same bytes takes the place of the other.
        'if-none-match': '*',
      };
      let status: number;
      try {
        const response = await request(url, {
          method: 'PUT',
          headers: {
            'user-agent': 'holdfast',
            ...signRequest({ method: 'PUT', url, headers, body }, { credentials, region, service: 's3', nowMs: clock.now() }),
          },
          body,
          signal,
          reset: true,
        });
        status = response.statusCode;
        await response.body.dump({ limit: maxAnswerBytes, signal });
      } catch (error) {
        throw new HoldfastError('delivery_failed', { detail: `object store: ${codeOf(error)}` });
      }
      if (status >= 200 && status < 300) return 'created';
      if (status === 412) return 'present';
      throw new HoldfastError(status >= 500 || mayPass.has(status) ? 'delivery_failed' : 'delivery_refused', {
        detail: `the object store answered ${status}`,
      });
    },
  };
}

/** A code, and not the words: they may repeat what was sent. */
function codeOf(error: unknown): string {
  const [first] = error instanceof AggregateError ? error.errors : [error];
  const { code, name } = (first ?? {}) as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : 'failed';
}
