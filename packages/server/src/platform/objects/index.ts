export { createS3ObjectStore, type S3ObjectStoreOptions } from './drivers/index.ts';
export type { NewObject, ObjectStore } from './object-store.ts';
export type { S3Credentials } from './sign-request.ts';
