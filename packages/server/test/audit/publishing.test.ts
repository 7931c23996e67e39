import { createHmac, createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFakeClock } from '@holdfast/kit/testing';
import { expect, onTestFinished, test } from 'vitest';
import {
  checkpointPublishAttempted,
  folderPublisher,
  objectStorePublisher,
  publishCheckpoint,
  startPublishing,
  webhookPublisher,
  type CheckpointPublisher,
} from '../../src/features/audit/index.ts';
import { createS3ObjectStore } from '../../src/platform/objects/index.ts';
import { createStandardWebhook } from '../../src/platform/webhooks/index.ts';

const checkpoint = { origin: 'holdfast/log', size: 81_204, note: 'holdfast/log\n81204\nAAAA\n\n— holdfast/log c2ln\n' };
const name = '00000000000000081204.checkpoint';
const clock = createFakeClock({ nowMs: Date.UTC(2026, 10, 20) });
const never = { signal: new AbortController().signal };

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Answers with the statuses in turn, the last of them for ever. */
async function receiver(...statuses: number[]): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      seen.push({ method: request.method!, url: request.url!, headers: request.headers, body });
      response
        .writeHead(statuses.length > 1 ? statuses.shift()! : statuses[0]!, { location: 'http://127.0.0.1:1/elsewhere' })
        .end('what it says');
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const credentials = { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'not-to-be-told' };
const bucket = (url: string): CheckpointPublisher =>
  objectStorePublisher(createS3ObjectStore({ bucketUrl: `${url}/bucket/`, region: 'eu-central-1', credentials, clock }), 'logs/a b/');

test('an object is put where there is none, with what a locked bucket asks for', async () => {
  const { url, seen } = await receiver(200);
  await bucket(url).publish(checkpoint, never);
  expect(seen).toMatchObject([
    {
      method: 'PUT',
      url: `/bucket/logs/a%20b/${name}`,
      body: checkpoint.note,
      headers: {
        'if-none-match': '*',
        'content-md5': createHash('md5').update(checkpoint.note).digest('base64'),
        'x-amz-content-sha256': createHash('sha256').update(checkpoint.note).digest('hex'),
        'x-amz-date': '20261120T000000Z',
        authorization: expect.stringMatching(
          /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/20261120\/eu-central-1\/s3\/aws4_request,SignedHeaders=content-md5;content-type;host;if-none-match;/,
        ) as unknown,
      },
    },
  ]);
  expect(JSON.stringify(seen)).not.toContain(credentials.secretAccessKey);
});

test.each([
  [412, undefined],
  [403, 'delivery_refused'],
  [404, 'delivery_refused'],
  [307, 'delivery_refused'],
  [409, 'delivery_failed'],
  [429, 'delivery_failed'],
  [503, 'delivery_failed'],
])('an object store that answers %i is %s', async (status, code) => {
  const { url, seen } = await receiver(status);
  const published = bucket(url).publish(checkpoint, never);
  if (code === undefined) await published;
  else await expect(published).rejects.toMatchObject({ code, message: expect.not.stringContaining('what it says') as unknown });
  expect(seen).toHaveLength(1);
});

test('a receiver that is not there is tried again', async () => {
  await expect(bucket('http://127.0.0.1:1').publish(checkpoint, never)).rejects.toMatchObject({ code: 'delivery_failed' });
  const webhook = createStandardWebhook({
    url: 'http://127.0.0.1:1/secret-path',
    secret: `whsec_${Buffer.alloc(24).toString('base64')}`,
    clock,
  });
  const error = await webhookPublisher(webhook, clock)
    .publish(checkpoint, never)
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'delivery_failed' });
  expect(String(error)).not.toContain('secret-path');
});

test('a webhook is signed so that the receiver knows who sent it and whether it came before', async () => {
  const { url, seen } = await receiver(204);
  const key = Buffer.alloc(32, 5);
  const publisher = webhookPublisher(createStandardWebhook({ url, secret: `whsec_${key.toString('base64')}`, clock }), clock);
  await publisher.publish(checkpoint, never);
  await publisher.publish(checkpoint, never);
  const [first, second] = seen as [Seen, Seen];
  const signed = `${first.headers['webhook-id'] as string}.${first.headers['webhook-timestamp'] as string}.${first.body}`;
  expect(first.headers['webhook-signature']).toBe(`v1,${createHmac('sha256', key).update(signed).digest('base64')}`);
  expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
  expect(JSON.parse(first.body)).toMatchObject({
    type: 'audit.checkpoint',
    data: { origin: 'holdfast/log', size: 81_204, checkpoint: checkpoint.note },
  });
});

test('a folder keeps what it has, and says when it is another log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-checkpoints-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const publisher = folderPublisher(join(folder, 'made'));
  await publisher.publish(checkpoint, never);
  await publisher.publish({ ...checkpoint, note: checkpoint.note.replace('c2ln', 'b3Ro') }, never);
  expect(readdirSync(join(folder, 'made'))).toEqual([name]);
  expect(readFileSync(join(folder, 'made', name), 'utf8')).toBe(checkpoint.note);
  await expect(publisher.publish({ ...checkpoint, note: checkpoint.note.replace('AAAA', 'BBBB') }, never)).rejects.toMatchObject({
    code: 'delivery_refused',
    message: expect.stringContaining('two versions') as unknown,
  });
  writeFileSync(join(folder, 'made', name), checkpoint.note.slice(0, 9));
  await expect(publisher.publish(checkpoint, never)).rejects.toMatchObject({ message: expect.stringContaining('cut off') as unknown });
  await expect(folderPublisher(join(folder, 'made', name)).publish(checkpoint, never)).rejects.toMatchObject({ code: 'delivery_failed' });
});

/** What a store of publications keeps, in memory. */
function memoryStore() {
  const last = new Map<string, number>();
  const failures: string[] = [];
  return {
    lastSize: async (destination: string) => last.get(destination),
    succeeded: async (destination: string, size: number) => void last.set(destination, size),
    failed: async (destination: string, error: string) => void failures.push(`${destination} ${error}`),
    failures,
  };
}

test('one place that is away keeps no other from its checkpoint', async () => {
  const { url } = await receiver(200);
  const down: CheckpointPublisher = { name: 'webhook', publish: () => Promise.reject(new Error('secret')) };
  const store = memoryStore();
  expect(await publishCheckpoint(checkpoint, { publishers: [down, bucket(url)], store, clock, ...never })).toEqual([
    { destination: 'webhook', result: 'failed', error: 'internal_error' },
    { destination: 'object-store', result: 'published', error: undefined },
  ]);
  expect(store.failures).toEqual(['webhook internal_error']);
  expect(await publishCheckpoint(checkpoint, { publishers: [bucket(url)], store, clock, ...never })).toMatchObject([
    { result: 'unchanged' },
  ]);
});

test('the schedule publishes what is new, tries a failure again sooner, and ends when it is told', async () => {
  const time = createFakeClock();
  const store = memoryStore();
  const published: number[] = [];
  let size = 10;
  let down = false;
  const attempts: string[] = [];
  onTestFinished(checkpointPublishAttempted.subscribe(({ result }) => attempts.push(result)));
  const publishing = startPublishing({
    publishers: [
      {
        name: 'folder',
        async publish(given) {
          if (down) throw new Error('away');
          published.push(given.size);
        },
      },
    ],
    store,
    latest: async () => ({ ...checkpoint, size }),
    clock: time,
    random: { next: () => 0, bytes: (count) => Buffer.alloc(count) },
    everyMs: 3_600_000,
  });
  await time.advanceAsync(5_000);
  expect(published).toEqual([10]);
  await time.advanceAsync(3_600_000);
  expect([published, attempts.at(-1)]).toEqual([[10], 'unchanged']);
  [size, down] = [20, true];
  await time.advanceAsync(3_600_000);
  expect([published, attempts.at(-1)]).toEqual([[10], 'failed']);
  down = false;
  await time.advanceAsync(60_000);
  expect(published).toEqual([10, 20]);
  size = 30;
  await publishing.publishNow();
  expect(published).toEqual([10, 20, 30]);
  await publishing.stop();
  size = 40;
  await time.advanceAsync(7_200_000);
  expect(published).toEqual([10, 20, 30]);
});
