// Where the CUDA driver's library is looked for.

/** `AIRLLM_CUDA_LIBRARY`; empty for the system's own. */
export function driverLibrary(): string {
  return process.env['AIRLLM_CUDA_LIBRARY'] ?? '';
}
