export { verifyDatabase, type DatabaseFault, type DatabaseReport, type VerifyDatabaseOptions } from './verify-database.ts';
