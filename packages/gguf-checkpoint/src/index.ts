export { openGguf, type OpenGgufOptions } from './open-gguf.js';
export { GgufError, type GgufErrorCode } from './gguf-error.js';
export { SUPPORTED_ARCHITECTURES } from './architecture.js';
