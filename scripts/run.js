// The door of every npm script: `node scripts/run.js <script> [arguments]` runs `scripts/<script>.ts`.
// Plain JavaScript of 2022, because an old Node must be able to read it in order to say what is wrong.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const neededMajor = 26;
const [name = '', ...rest] = process.argv.slice(2);
const script = fileURLToPath(new URL(`./${name}.ts`, import.meta.url));

if (Number(process.versions.node.split('.')[0]) < neededMajor) {
  console.error(
    `This needs Node ${neededMajor}, and node is ${process.versions.node} here. Run "npm ci" (without --omit=optional), which brings it, ` +
      `and start this through npm; on a platform that it brings none for, install Node ${neededMajor} yourself.`,
  );
  process.exit(1);
}
if (!/^[a-z0-9-]+$/.test(name) || !existsSync(script)) {
  console.error(`There is no script ${JSON.stringify(name)} in scripts/.`);
  process.exit(1);
}
process.chdir(fileURLToPath(new URL('..', import.meta.url)));
process.argv = [process.execPath, script, ...rest];
await import(new URL(`./${name}.ts`, import.meta.url).href);
