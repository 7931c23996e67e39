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
