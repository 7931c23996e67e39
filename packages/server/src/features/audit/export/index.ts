export { openExport, type AuditExport, type ExportDependencies, type ExportOptions } from './open-export.ts';
