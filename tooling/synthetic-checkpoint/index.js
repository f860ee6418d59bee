export { writeGguf } from './lib/gguf/write-gguf.js';
export { PRESETS } from './lib/presets.js';
export { listTensors } from './lib/tensor-list.js';
export { writeSyntheticCheckpoint } from './lib/write-synthetic-checkpoint.js';
