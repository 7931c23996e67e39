import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Collector {
  readonly url: string;
  /** Everything that was sent to paths that begin so, headers included, byte for byte as Latin-1: texts in it can be searched whatever the format. */
  received(pathPrefix: string): string;
  close(): void;
}

/** Takes what a server exports: spans, reports of errors, notifications. */
export async function startCollector(): Promise<Collector> {
  const parcels: { readonly path: string; readonly text: string }[] = [];
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
      parcels.push({ path: request.url ?? '', text: `${request.rawHeaders.join('\n')}\n${plain.toString('latin1')}` });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: (pathPrefix) =>
      parcels
        .filter(({ path }) => path.startsWith(pathPrefix))
        .map(({ text }) => text)
        .join('\n'),
    close: () => server.close().closeAllConnections(),
  };
}
