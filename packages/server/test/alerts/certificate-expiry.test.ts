import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import { createServer } from 'node:tls';
import { systemClock } from '@holdfast/kit/time';
import { expect, onTestFinished, test } from 'vitest';
import { selfSignedCertificate } from '../../../../test/support/self-signed-certificate.ts';
import { readCertificateExpiry } from '../../src/platform/tls/index.ts';

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

test('the end of a certificate is read, whoever signed it, and nothing is sent', async () => {
  let received = 0;
  const origin = await listen(
    createServer(selfSignedCertificate(), (socket) => socket.on('data', (data) => (received += data.length)).on('error', () => {})),
  );
  expect(new Date(await readCertificateExpiry({ origin, clock: systemClock })).toISOString()).toBe('2049-12-31T23:59:59.000Z');
  expect(received).toBe(0);
});

test('a server that is silent, speaks no TLS, or is not there has none', async () => {
  const silent = await listen(createTcpServer((socket) => void socket.on('error', () => {})));
  await expect(readCertificateExpiry({ origin: silent, clock: systemClock, timeoutMs: 30 })).rejects.toMatchObject({
    code: 'provider_unreachable',
    message: 'localhost: no certificate in 30 ms',
  });
  const plain = await listen(createTcpServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 400 Bad Request\r\n\r\n')));
  for (const origin of [plain, 'https://127.0.0.1:9'])
    await expect(readCertificateExpiry({ origin, clock: systemClock })).rejects.toMatchObject({ code: 'provider_unreachable' });
});
