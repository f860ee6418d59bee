export type { InstructionSet } from './binding.js';
export { createCpuBackend, type CpuBackendOptions } from './create-cpu-backend.js';
export { fastMemoryBytes } from './fast-memory-bytes.js';
export { measureComputePeak, type ComputePeakOptions } from './measure-compute-peak.js';
export { measureMemoryBandwidth, type MemoryBandwidthOptions } from './measure-memory-bandwidth.js';
