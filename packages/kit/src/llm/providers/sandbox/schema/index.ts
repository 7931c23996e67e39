export { sampleSchema } from './sample.ts';
