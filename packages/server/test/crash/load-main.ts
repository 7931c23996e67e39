/**
 * The clients of the crash tests as a process of its own, which nobody kills: what it has seen of a call is in its log
 * (`--log`, one line a call, appended when the call is over) whatever became of the server.
 */
import { openSync, writeSync } from 'node:fs';
import { Agent } from 'node:http';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { createSeededRandom } from '@holdfast/kit/testing';
import type { FromLoad, LoadEvent, ToLoad } from './messages.ts';
import { planCall } from './plan-call.ts';
import { sendCall, type SendOptions } from './send-call.ts';

const { values } = parseArgs({ options: { log: { type: 'string' }, seed: { type: 'string' }, run: { type: 'string' } } });
const log = openSync(values.log!, 'a');
let finishing = false;
let watched: { readonly event: LoadEvent; left: number; readonly killPids: readonly number[] } | undefined;

type Begin = Extract<ToLoad, { kind: 'begin' }>;

async function runRound({ round, url, keys, workers, tellAfter, killPids }: Begin): Promise<void> {
  finishing = false;
  const random = createSeededRandom(Number(values.seed) * 10_007 + round);
  const agent = new Agent({ keepAlive: true, maxSockets: workers });
  let number = 0;
  let refusedConnections = 0;
  watched = { event: tellAfter.event, left: tellAfter.count, killPids };
  const onEvent = (event: LoadEvent): void => {
    if (event !== watched?.event || --watched.left !== 0) return;
    const atMs = Date.now();
    for (const pid of watched.killPids) process.kill(pid, 'SIGKILL');
    tell({ kind: 'reached', atMs });
  };

  async function work(): Promise<void> {
    while (!finishing) {
      const key = keys[number % 4 === 1 ? 1 : number % 4 === 3 ? 2 : 0];
      const options: SendOptions = { url, key, agent, onEvent };
      const line = await sendCall(planCall(random, values.run!, round, number++), options);
      if (!line) {
        refusedConnections++;
        return;
      }
      writeSync(log, `${JSON.stringify(line)}\n`);
      // Turned away: a client that comes back at once would only measure how fast that goes.
      if (line.status === 503 || line.status === 402) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  await Promise.all(Array.from({ length: workers }, work));
  agent.destroy();
  tell({ kind: 'idle', refusedConnections });
}

function tell(message: FromLoad): void {
  process.send!(message);
}

process.on('message', (message: ToLoad) => {
  if (message.kind === 'begin') void runRound(message);
  else if (message.kind === 'watch') watched = { event: message.event, left: message.count, killPids: [] };
  else if (message.kind === 'disarm') watched = undefined;
  else finishing = true;
});
process.on('disconnect', () => process.exit(0));
