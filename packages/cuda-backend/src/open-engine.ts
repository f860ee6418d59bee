// Loads an addon and opens its engine, with the errors of the compute contract.

import { BackendError } from '@airllm/backend';
import { NativeAddonError } from '@airllm/native';
import { callNative, expectSize } from '@airllm/native-submission';
import { loadBinding, type AddonName, type NativeBinding, type NativeEngine } from './binding.js';

export interface EngineOptions {
  readonly device?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly stagingBytes?: number | undefined;
  readonly workspaceBytes?: number | undefined;
  readonly fast: boolean;
  readonly library?: string | undefined;
  readonly emulatedBytes?: number | undefined;
}

/** @throws BackendError `BACKEND_UNAVAILABLE`, `OUT_OF_DEVICE_MEMORY`, `INVALID_OPERAND` for sizes that are none */
export function openEngine(addon: AddonName, options: EngineOptions): NativeEngine {
  const { device = 0, memoryBytes = 0, stagingBytes = 0, workspaceBytes = 0, emulatedBytes = 0 } = options;
  const sizes = { device, memoryBytes, stagingBytes, workspaceBytes, emulatedBytes };
  for (const [name, size] of Object.entries(sizes)) expectSize(name, size);
  const { Engine } = openBinding(addon);
  return callNative(() => new Engine({ ...sizes, fast: options.fast, library: options.library ?? '' }));
}

/** @throws BackendError `BACKEND_UNAVAILABLE` */
export function openBinding(addon: AddonName): NativeBinding {
  try {
    return loadBinding(addon);
  } catch (cause) {
    if (!NativeAddonError.isInstance(cause)) throw cause;
    throw new BackendError('BACKEND_UNAVAILABLE', cause.message, { cause });
  }
}
