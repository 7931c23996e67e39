export { describeApi, type ApiDescriptionOptions } from './describe-api.ts';
