import { fileURLToPath } from 'node:url';
import { otherCore } from '../gateway/subjects.ts';
import { startOn } from '../support/process.ts';

export async function startSink(outputFile: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const started = await startOn(otherCore, process.execPath, [fileURLToPath(new URL('sink.ts', import.meta.url))], /^(\d+)$/m, {
    outputFile,
  });
  return { port: Number(started.found[1]), stop: () => started.stop() };
}
