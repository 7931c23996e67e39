/** One turn of the event loop: by then all promises that were ready have run, and I/O was looked at. */
export function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
