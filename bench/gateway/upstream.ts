/**
 * The provider of the benchmark: speaks just enough HTTP/1.1 over plain sockets to answer chat completions, so that it
 * takes as little of the shared core as can be. Plain answers are 1 KB, and take 20 ms when the model's name is `late`; streams come at once, or
 * paced when it is `paced`. Prints its port.
 */
import { createServer, type Socket } from 'node:net';
import { argv } from 'node:process';

const chunkCount = Number(option('--chunks') ?? 64);
const lateMs = 20;
const spacingMs = Number(option('--spacing-ms') ?? 20);

const answer = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_795_167_208,
  model: 'gpt-4o-mini-2024-07-18',
  choices: [{ index: 0, message: { role: 'assistant', content: 'word '.repeat(150) }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 180, completion_tokens: 150, total_tokens: 330 },
});
const plain = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`,
);

const event = (fields: object) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1_795_167_208, model: 'gpt-4o-mini-2024-07-18', ...fields })}\n\n`;
const delta = (fields: object, finish: string | null = null) =>
  event({ choices: [{ index: 0, delta: fields, finish_reason: finish }], usage: null });
const events = [
  delta({ role: 'assistant', content: '' }),
  ...Array.from({ length: chunkCount }, (_, index) => delta({ content: `word${index} ` })),
  delta({}, 'stop') +
    event({ choices: [], usage: { prompt_tokens: 180, completion_tokens: chunkCount, total_tokens: 180 + chunkCount } }) +
    'data: [DONE]\n\n',
];
const chunk = (text: string) => Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
const streamHead = Buffer.from('HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n');
const streamChunks = events.map(chunk);
const streamEnd = Buffer.from('0\r\n\r\n');
const wholeStream = Buffer.concat([streamHead, ...streamChunks, streamEnd]);

/** Paced streams share one timer: a timer each would make the upstream the bottleneck. */
const paced = new Map<Socket, number>();
setInterval(() => {
  for (const [socket, next] of paced) {
    if (next < streamChunks.length) {
      socket.write(streamChunks[next]!);
      paced.set(socket, next + 1);
    } else {
      socket.write(streamEnd);
      paced.delete(socket);
    }
  }
}, spacingMs);

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('close', () => paced.delete(socket));
  let buffered: Buffer = Buffer.alloc(0);
  socket.on('data', (data: Buffer) => {
    buffered = buffered.length === 0 ? data : Buffer.concat([buffered, data]);
    for (;;) {
      const headEnd = buffered.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = buffered.toString('latin1', 0, headEnd).toLowerCase();
      const length = Number(/content-length: *(\d+)/.exec(head)?.[1] ?? 0);
      if (buffered.length < headEnd + 4 + length) return;
      const body = buffered.subarray(headEnd + 4, headEnd + 4 + length);
      buffered = buffered.subarray(headEnd + 4 + length);
      if (body.indexOf('"late"') >= 0) setTimeout(() => void socket.write(plain), lateMs);
      else if (body.indexOf('"stream":true') < 0) socket.write(plain);
      else if (body.indexOf('"paced"') < 0 && body.indexOf('/paced"') < 0) socket.write(wholeStream);
      else {
        socket.write(streamHead);
        paced.set(socket, 0);
      }
    }
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address ? address.port : ''}\n`);
});
process.on('SIGTERM', () => process.exit(0));

function option(name: string): string | undefined {
  const at = argv.indexOf(name);
  return at < 0 ? undefined : argv[at + 1];
}
