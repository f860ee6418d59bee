export { createMetalBackend, type MetalBackendOptions } from './create-metal-backend.js';
export { probeMetal, type MetalProbe } from './probe-metal.js';
