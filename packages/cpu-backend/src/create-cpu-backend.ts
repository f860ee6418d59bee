// Starts a CPU backend: loads the addon, chooses instruction set and threads.

import { BackendError, PRECISIONS, type Backend, type Precision } from '@airllm/backend';
import { NativeAddonError } from '@airllm/native';
import { callNative } from '@airllm/native-submission';
import { availableParallelism } from 'node:os';
import { loadBinding, type InstructionSet, type NativeBinding } from './binding.js';
import { CpuBackend } from './cpu-backend.js';

export interface CpuBackendOptions {
  /** Threads that compute, the driver included. Default: `os.availableParallelism()`. */
  threads?: number;
  /** Default `auto`: the best this machine has. */
  instructionSet?: InstructionSet;
  /**
   * Default `exact`. With `fast`, `linear` of 8 rows and more rounds its operands to bf16 where the machine multiplies bf16
   * faster than float32 (AMX; AVX512_BF16 of AMD), and `exact` is what it is elsewhere.
   */
  precision?: Precision;
}

/**
 * A backend over the native kernels of this package.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE` when the addon is not built or does not load (the cause is the
 * `NativeAddonError` that lists what was tried), or when the machine lacks the instruction set;
 * `INVALID_OPERAND` for a number of threads outside [1, 1024] or an unknown precision.
 * @example
 * await using backend = await createCpuBackend({ threads: 4 });
 * await backend.submit({ commands, arena });
 */
export async function createCpuBackend(options: CpuBackendOptions = {}): Promise<Backend> {
  const { threads = availableParallelism(), instructionSet = 'auto', precision = 'exact' } = options;
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new BackendError('INVALID_OPERAND', `Expected threads within [1, 1024] but received ${threads}`);
  }
  if (!PRECISIONS.includes(precision)) {
    const known = PRECISIONS.join(' or ');
    throw new BackendError('INVALID_OPERAND', `Expected ${known} for precision but received ${precision}`);
  }
  const { Engine } = openBinding();
  return new CpuBackend(
    callNative(() => new Engine(instructionSet, threads, precision === 'fast')),
    { threads, precision },
  );
}

/** @throws BackendError `BACKEND_UNAVAILABLE` */
export function openBinding(): NativeBinding {
  try {
    return loadBinding();
  } catch (cause) {
    if (!NativeAddonError.isInstance(cause)) throw cause;
    throw new BackendError('BACKEND_UNAVAILABLE', cause.message, { cause });
  }
}
