export { canonicalJson, type CanonicalValue } from './event/index.ts';
export { writeExport, type ExportedEvent, type SignedSize, type WriteExportOptions } from './export/index.ts';
export {
  CompactRange,
  emptyRoot,
  hashBytes,
  hashChildren,
  hashLeaf,
  perfectSubtrees,
  planConsistencyProof,
  planInclusionProof,
  type OnNode,
  type ProofPlan,
  type TreeNode,
} from './merkle/index.ts';
export {
  checkpointText,
  createCheckpointSigner,
  formatProof,
  publicKeyOf,
  signCheckpoint,
  verifierKey,
  type CheckpointSigner,
  type KeyKind,
  type LoggedLeaf,
  type TreeHead,
} from './note/index.ts';
