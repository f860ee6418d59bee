// Chooses the implementation of the formats: plain TypeScript.

import type { Kernels } from './kernels.js';
import { createReferenceKernels } from './reference/reference-kernels.js';

export interface KernelOptions {
  /** Default: `os.availableParallelism()`. */
  readonly threads?: number | undefined;
}

export function openKernels(_options: KernelOptions = {}): Kernels {
  return createReferenceKernels();
}
