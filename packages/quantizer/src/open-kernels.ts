// Chooses the implementation of the formats: native, or plain TypeScript where the addon does not load, and says so.

import { NativeAddonError } from '@airllm/native';
import { availableParallelism } from 'node:os';
import { QuantizerError } from './errors.js';
import type { Kernels } from './kernels.js';
import type { InstructionSet } from './native/binding.js';
import { createNativeKernels } from './native/native-kernels.js';
import { createReferenceKernels } from './reference/reference-kernels.js';

export interface KernelOptions {
  /** Threads that encode and decode. Default: `os.availableParallelism()`. */
  readonly threads?: number | undefined;
  /** Its threads run where nothing else of the process would, if the system can do that. Default: false. */
  readonly background?: boolean;
  /** Default `auto`: the best this machine has. */
  readonly instructionSet?: InstructionSet;
}

const MAX_THREADS = 1024;

/** Threads are shared: one set for each pair of options, kept for the next encoder. */
const opened = new Map<string, Kernels>();
let warned = false;

/**
 * The kernels that encoders use by default. Without the addon these are the TypeScript reference, many times
 * slower: `description` says so, and a process warning does, once.
 *
 * @throws QuantizerError `INVALID_OPTION` for threads outside [1, 1024] or an instruction set this machine lacks.
 */
export function openKernels(options: KernelOptions = {}): Kernels {
  const { threads = availableParallelism(), background = false, instructionSet = 'auto' } = options;
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)) {
    throw invalid('threads', threads, `within [1, ${MAX_THREADS}]`);
  }
  const key = `${instructionSet} ${threads} ${background}`;
  const kernels = opened.get(key) ?? nativeOrReference(instructionSet, { threads, background });
  opened.set(key, kernels);
  return kernels;
}

function nativeOrReference(
  instructionSet: InstructionSet,
  pool: { threads: number; background: boolean },
): Kernels {
  try {
    return createNativeKernels(instructionSet, pool);
  } catch (cause) {
    if (NativeAddonError.isInstance(cause) && instructionSet === 'auto') return reference(cause.message);
    if (typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === 'INVALID_OPTION') {
      throw invalid('instructionSet', instructionSet, 'one that this machine has', cause);
    }
    throw cause;
  }
}

function reference(why: string): Kernels {
  if (!warned) {
    process.emitWarning(`Weights are encoded and decoded in TypeScript, slowly. ${why}`, {
      code: 'AIRLLM_QUANTIZER_REFERENCE',
    });
  }
  warned = true;
  return createReferenceKernels('the native addon does not load');
}

function invalid(option: string, value: unknown, expected: string, cause?: unknown): QuantizerError {
  return new QuantizerError(
    'INVALID_OPTION',
    `Expected ${option} to be ${expected} but received ${String(value)}`,
    {
      fields: { option, value },
      cause,
    },
  );
}
