import { checks } from './check/checks.ts';
import { createWorkbench } from './check/workbench.ts';

// `npm run check [-- name …]`: everything that can be judged without running the product. All checks run, also when one
// fails, so that one run names all there is to do.

const bench = createWorkbench(process.cwd());
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !checks.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`There is no check ${unknown.join(', ')}; there are ${checks.map((check) => check.name).join(', ')}.`);
  process.exit(1);
}

let passed = 0;
let failed = 0;
for (const check of checks) {
  if (asked.length > 0 && !asked.includes(check.name)) continue;
  const started = performance.now();
  let problems: readonly string[];
  try {
    problems = await check.run(bench);
  } catch (error) {
    problems = [error instanceof Error ? error.message : String(error)];
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (problems.length === 0) {
    passed += 1;
    console.log(`ok      ${check.name}: ${check.claim} (${seconds} s)`);
  } else {
    failed += 1;
    console.log(`FAILED  ${check.name}: ${check.claim} (${seconds} s)`);
    for (const problem of problems) console.log(problem.replaceAll(/^/gm, '        '));
  }
}
bench.clear();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
