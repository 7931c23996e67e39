export type { ExportedSeries, ExportFault, ExportFinding, ExportReport, VerifyExportOptions } from './export-report.ts';
export { linesOf } from './lines-of.ts';
export { opensReference, verifyExport } from './verify-export.ts';
export {
  hashLeaf,
  openCheckpoint,
  openProof,
  TreeHasher,
  VerificationError,
  verifyConsistency,
  verifyInclusion,
  type Finding,
  type OpenedCheckpoint,
  type OpenedProof,
  type Sha256,
  type TreeHead,
} from './verify.ts';
