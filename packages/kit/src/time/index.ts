export { Cancellation } from './cancellation.ts';
export { sleep, systemClock, type Clock, type Timer } from './clock.ts';
export { createEventLoopMonitor, type EventLoopMonitor } from './event-loop-monitor.ts';
export { createTimestampWriter } from './rfc3339.ts';
export { systemRandom, type Random } from './random.ts';
export { createUuidV7, firstUuidV7At } from './uuid.ts';
