// The implementations that this machine has, for `describe.each`: the reference, and every native instruction set.

import { NativeAddonError } from '@airllm/native';
import { createReferenceKernels, openKernels, type Kernels } from '../src/index.js';
import { loadBinding } from '../src/native/binding.js';

interface Described {
  readonly description: string;
  readonly kernels: Kernels;
}

/** Of each instruction set of the machine; three threads, so that slices are shared unevenly. */
export const native: readonly Described[] = nativeKernels();

export const every: readonly Described[] = [described(createReferenceKernels()), ...native];

function nativeKernels(): Described[] {
  try {
    loadBinding();
  } catch (error) {
    if (!NativeAddonError.isInstance(error)) throw error;
    console.warn(`native kernels skipped: ${error.message}`);
    return [];
  }
  const sets =
    process.arch === 'arm64' ? (['scalar', 'neon'] as const) : (['scalar', 'avx2', 'avx512'] as const);
  return sets.flatMap((instructionSet) => {
    try {
      return [described(openKernels({ instructionSet, threads: 3 }))];
    } catch {
      console.warn(`native ${instructionSet} skipped: this machine lacks it`);
      return [];
    }
  });
}

function described(kernels: Kernels): Described {
  return { description: kernels.description, kernels };
}
