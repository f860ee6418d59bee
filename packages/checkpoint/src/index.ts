export type { Checkpoint, StoredTensor } from './checkpoint.js';
