export { locateCheckpoint, openCheckpoint, type OpenCheckpointOptions } from './open-checkpoint.js';
export type { LocalFiles } from './open-folder.js';
export type { Checkpoint, StoredTensor } from './checkpoint.js';
export type { DownloadProgress } from './hub/download-snapshot.js';
export { resolveHubSettings, type HubOptions, type HubSettings } from './hub/hub-settings.js';
export { isNeededFile } from './hub/needed-files.js';
export { CheckpointError, type CheckpointErrorCode } from './checkpoint-error.js';
export { parseIndex, type WeightMap } from './parse-index.js';
export { parseJson } from './parse-json.js';
