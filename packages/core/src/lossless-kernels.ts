// What packs weights that stay in memory, loaded when the first of them is packed.

import type { Backend } from '@airllm/backend';
import type { LosslessKernels } from '@airllm/layer-store';
import { CoreError } from './errors.js';

/** Packing goes on beside decoding, in what the processor has left while decoding waits for the disk. */
const POOL = { threads: 1, background: true };

/** Undefined for devices that do not compute in the host's memory, or are slower with what is packed than with what is read. */
export function losslessKernelsFor(backend: Backend): LosslessKernels | undefined {
  if (backend.deviceMemory || !backend.memorySpeedDTypes?.includes('bf16z')) return undefined;
  let opened: Promise<LosslessKernels> | undefined;
  const open = (): Promise<LosslessKernels> => (opened ??= openNativeKernels());
  return {
    surveyLossless: async (...request) => (await open()).surveyLossless(...request),
    encodeLossless: async (...request) => (await open()).encodeLossless(...request),
  };
}

/** @throws CoreError `NATIVE_UNAVAILABLE`: the TypeScript kernels would hold the JavaScript thread up */
async function openNativeKernels(): Promise<LosslessKernels> {
  const { openKernels } = await import('@airllm/quantizer');
  const kernels = openKernels(POOL);
  if (kernels.isNative) return kernels;
  throw new CoreError(
    'NATIVE_UNAVAILABLE',
    `Expected the native kernels of @airllm/quantizer but found ${kernels.description}`,
  );
}
