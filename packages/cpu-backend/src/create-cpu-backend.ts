// Starts a CPU backend: loads the addon, chooses instruction set and threads.

import { BackendError, type Backend } from '@airllm/backend';
import { NativeAddonError } from '@airllm/native';
import { availableParallelism } from 'node:os';
import { loadBinding, type InstructionSet, type NativeBinding } from './binding.js';
import { CpuBackend } from './cpu-backend.js';
import { callNative } from './native-error.js';

export interface CpuBackendOptions {
  /** Threads that compute, the driver included. Default: `os.availableParallelism()`. */
  threads?: number;
  /** Default `auto`: the best this machine has. */
  instructionSet?: InstructionSet;
}

/**
 * A backend over the native kernels of this package.
 *
 * @throws BackendError `BACKEND_UNAVAILABLE` when the addon is not built or does not load (the cause is the
 * `NativeAddonError` that lists what was tried), or when the machine lacks the instruction set;
 * `INVALID_OPERAND` for a number of threads outside [1, 1024].
 * @example
 * await using backend = await createCpuBackend({ threads: 4 });
 * await backend.submit({ commands, arena });
 */
export async function createCpuBackend(options: CpuBackendOptions = {}): Promise<Backend> {
  const { threads = availableParallelism(), instructionSet = 'auto' } = options;
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 1024)) {
    throw new BackendError('INVALID_OPERAND', `Expected threads within [1, 1024] but received ${threads}`);
  }
  const { Engine } = openBinding();
  return new CpuBackend(
    callNative(() => new Engine(instructionSet, threads)),
    threads,
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
