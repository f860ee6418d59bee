export { AirllmError, type AirllmErrorOptions } from './airllm-error.js';
