/** The sign of life of the main thread: a counter in memory that both threads see. */
export type Beat = Int32Array<SharedArrayBuffer>;

export function createBeat(): Beat {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
}

/** Called from the event loop of the main thread. Wraps round after years, which is a change like any other. */
export function sendBeat(beat: Beat): void {
  Atomics.add(beat, 0, 1);
}

export function readBeat(beat: Beat): number {
  return Atomics.load(beat, 0);
}
