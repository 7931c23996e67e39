export { inputMessages, systemInstructions } from './input-messages.ts';
export { outputMessages } from './output-messages.ts';
