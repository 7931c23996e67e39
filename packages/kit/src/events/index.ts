export { defineChannel, type EventChannel } from './channel.ts';
