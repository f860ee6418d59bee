export { readTorchFile, type TorchFile } from './read-torch-file.js';
export { readRowMajor, type ReadRowMajorOptions } from './read-row-major.js';
export type { TorchTensor } from './torch-tensor.js';
export { TorchPickleError, type TorchPickleErrorCode } from './torch-pickle-error.js';
export { MAX_PICKLE_BYTES } from './limits.js';
