export { writeExport, type ExportedEvent, type SignedSize, type WriteExportOptions } from './write-export.ts';
