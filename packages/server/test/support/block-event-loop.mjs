// Loaded into a server with `--import`: while the file named in BLOCK_WHILE exists, each turn of the event loop takes 120 ms.
import { existsSync } from 'node:fs';

const file = process.env.BLOCK_WHILE;
const turn = () => {
  const blocked = existsSync(file);
  const until = performance.now() + (blocked ? 120 : 0);
  while (performance.now() < until);
  setTimeout(turn, blocked ? 1 : 20).unref();
};
turn();
