/** What any gateway has to pay: Fastify in front, undici's cheapest interface behind, bytes passed as they come. Prints its port. */
import Fastify from 'fastify';
import { Pool, type Dispatcher } from 'undici';

const pool = new Pool(process.argv[2]!, { connections: 1024, pipelining: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: false });
const app = Fastify({ logger: false });
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.post('/v1/chat/completions', (request, reply) => {
  reply.hijack();
  const { raw } = reply;
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart() {},
    onResponseStart(_controller, status, headers) {
      const passed: string[] = ['content-type', String(headers['content-type'])];
      if (headers['content-length']) passed.push('content-length', String(headers['content-length']));
      raw.writeHead(status, passed);
    },
    onResponseData(controller, chunk) {
      if (!raw.write(chunk)) {
        controller.pause();
        raw.once('drain', () => controller.resume());
      }
    },
    onResponseEnd() {
      raw.end();
    },
    onResponseError() {
      raw.destroy();
    },
  };
  pool.dispatch({ path: '/v1/chat/completions', method: 'POST', headers: { 'content-type': 'application/json' }, body: request.body as Buffer }, handler);
});
const address = await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${new URL(address).port}\n`);
process.on('SIGTERM', () => process.exit(0));
