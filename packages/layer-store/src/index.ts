export type { OpenReadQueueOptions, ReadMethod } from '@airllm/direct-io';
export type { ExpertUse } from './expert-uses.js';
export { LayerStoreError, type LayerStoreErrorCode } from './errors.js';
export type { ReadingStatus } from './file-reader.js';
export { LayerStore, type LayerStoreOptions } from './layer-store.js';
export type { TileLease } from './lease.js';
export { measureDisk, type DiskSpeed } from './measure-disk.js';
export { measureFolder, type MeasureFolderOptions } from './measure-folder.js';
export { openLayerStore } from './open-layer-store.js';
export type { LosslessKernels } from './packed-tile.js';
export { minimumStoreBytes, placeStore, type StorePlacement } from './place-store.js';
export type { Placement, WeightBudget } from './placement.js';
export type { RangeRead } from './read-ranges.js';
export type { ResolvedWeight, StoredTensor } from './resolved-weight.js';
export { samplePacking } from './sample-packing.js';
export type { StageStats } from './stats.js';
export {
  layOutStore,
  tileBytesFor,
  type ExpertPlace,
  type StageSpec,
  type StoreLayout,
} from './store-layout.js';
export type { Tile, TileKind, TilePart } from './tile.js';
export { tuneDisks, type TunedDisk, type TuneDisksOptions } from './tune-disks.js';
