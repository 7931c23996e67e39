/** Dollars as text (`25`, `0.000000001`) in nano-dollars; exact. The text has been checked: digits, and at most nine behind the point. */
export function readUsd(text: string): number {
  const [whole = '0', fraction = ''] = text.split('.');
  return Number(BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')));
}
