export { CompactRange, type OnNode } from './compact-range.ts';
export { emptyRoot, hashBytes, hashChildren, hashLeaf } from './hash.ts';
export { perfectSubtrees, type TreeNode } from './node.ts';
export { planConsistencyProof, planInclusionProof, type ProofPlan } from './proofs.ts';
export { pendingNodes, planTileReads, TiledTree, tileLevels, tileWidth, type Tile, type TileReads } from './tiled-tree.ts';
