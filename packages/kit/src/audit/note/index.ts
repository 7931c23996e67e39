export { checkpointText, signCheckpoint } from './checkpoint.ts';
export { publicKeyOf, verifierKey, type KeyKind } from './key.ts';
export { createCheckpointSigner, type CheckpointSigner } from './signer.ts';
export { formatProof, type LoggedLeaf } from './tlog-proof.ts';
export type { TreeHead } from './tree-head.ts';
