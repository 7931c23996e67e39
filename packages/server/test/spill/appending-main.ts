/** A process that keeps records for as long as it lives, and says of each that it is kept, but not before. For the tests that end it. */
import { systemRandom } from '@holdfast/kit/time';
import { Spill } from '../../src/platform/spill/index.ts';

const [folder, prefix, bytes = '100'] = process.argv.slice(2) as [string, string, string?];
const spill = await Spill.open({
  folder,
  keyOf: () => Buffer.alloc(32, 1),
  keyVersion: 1,
  random: systemRandom,
  maxBytes: 50_000_000,
  segmentBytes: 20_000,
});
for (let at = 0; at < 20_000; at++) {
  const text = `${prefix}:${at}:`.padEnd(Number(bytes), 'x');
  spill.append(Buffer.from(text)).then(
    () => process.stdout.write(`${prefix}:${at}\n`),
    () => process.stdout.write('refused\n'),
  );
  if (at % 5 === 4) await new Promise((resolve) => setImmediate(resolve));
}
