import { expect, test } from 'vitest';
import { signRequest } from './sign-request.ts';

// Amazon's own examples: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const options = { credentials, region: 'us-east-1', service: 's3', nowMs: Date.UTC(2013, 4, 24) };
const bucket = 'https://examplebucket.s3.amazonaws.com';

test.each([
  [
    'GET',
    '/test.txt',
    { range: 'bytes=0-9' },
    '',
    'host;range;x-amz-content-sha256;x-amz-date',
    'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  ],
  [
    'PUT',
    '/test$file.text',
    { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
    'Welcome to Amazon S3.',
    'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
    '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  ],
  [
    'GET',
    '/?lifecycle',
    {},
    '',
    'host;x-amz-content-sha256;x-amz-date',
    'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  ],
  [
    'GET',
    '/?max-keys=2&prefix=J',
    {},
    '',
    'host;x-amz-content-sha256;x-amz-date',
    '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  ],
])('signs Amazon’s example %s %s', (method, path, headers, body, names, signature) => {
  expect(signRequest({ method, url: new URL(bucket + path), headers: headers as Record<string, string>, body }, options)).toMatchObject({
    authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names},Signature=${signature}`,
    'x-amz-date': '20130524T000000Z',
  });
});

test('signs the token of credentials that end', () => {
  const headers = signRequest(
    { method: 'PUT', url: new URL(`${bucket}/a`), headers: {}, body: '' },
    { ...options, credentials: { ...credentials, sessionToken: 'a token' } },
  );
  expect(headers).toMatchObject({
    'x-amz-security-token': 'a token',
    authorization: expect.stringContaining('x-amz-date;x-amz-security-token,') as unknown,
  });
});
