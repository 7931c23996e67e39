/** `a="1",b="2"`, escaped as both formats want it. */
export function labelPairs(names: readonly string[], values: readonly string[]): string {
  let pairs = '';
  for (let at = 0; at < names.length; at++) pairs += `${at === 0 ? '' : ','}${names[at]}="${escapeLabel(values[at] ?? '')}"`;
  return pairs;
}

function escapeLabel(value: string): string {
  if (!/[\\"\n]/.test(value)) return value;
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
}
