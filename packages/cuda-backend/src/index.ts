export { createCudaBackend, type CudaBackendOptions } from './create-cuda-backend.js';
export { probeCuda, type CudaProbe, type CudaProbeOptions } from './probe-cuda.js';
