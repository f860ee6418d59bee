// Opens all that computes a model: the device, a plan for its memory and the host's, and the store that carries the plan out.

import type { Engine } from '@airllm/generate';
import { openLayerStore, type LayerStore, type StoreLayout } from '@airllm/layer-store';
import {
  expertMemoryPath,
  isWorthRemembering,
  readExpertUses,
  writeExpertUses,
} from '../experts/expert-memory.js';
import { losslessKernelsFor } from '../lossless-kernels.js';
import type { DeviceMemoryRequest } from '../options/device-memory.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { ModelPlan } from '../plan.js';
import { openOptionsDevice, planEngine, processBytes, type EngineSource } from './plan-engine.js';

/** Which device, and how much of its own memory. */
export interface EngineChoice {
  readonly device: ResolvedOptions['device'];
  readonly deviceMemory: DeviceMemoryRequest | undefined;
}

/** Closing it gives all memory back and closes the files. */
export interface OpenedEngine extends Engine, AsyncDisposable {
  readonly plan: ModelPlan;
  readonly layout: StoreLayout;
}

/**
 * @param choice.leastProcessBytes what the process took before an engine was opened: of one that was closed, memory may wait to be
 * collected, and is not counted. Default: as it is now
 * @throws CoreError, LayerStoreError, BackendError, with nothing left open
 */
export async function openEngine(
  source: EngineSource,
  choice: EngineChoice & { readonly leastProcessBytes?: number },
): Promise<OpenedEngine> {
  const { device: deviceName, deviceMemory, leastProcessBytes = Infinity } = choice;
  const options = { ...source.options, device: deviceName, deviceMemory };
  const { hostBytes } = options;
  const { backend, budget: device } = await openOptionsDevice(options, source.select);
  let store: LayerStore | undefined;
  try {
    const takenBytes = Math.min(leastProcessBytes, processBytes(0, options));
    const { plan, layout, weightBudget, reservedRun } = planEngine(source, device, takenBytes);
    const opened = await openLayerStore({
      layout,
      budgetBytes: weightBudget.hostBytes,
      device: backend.deviceMemory && {
        memory: backend.deviceMemory,
        budgetBytes: weightBudget.deviceBytes,
      },
      allocate: (byteLength) => backend.allocateWeights(byteLength),
      prefetch: options.prefetching,
      lossless: options.packPinned ? losslessKernelsFor(backend) : undefined,
    });
    store = opened;
    // What a device shares with the host is the device's.
    const ownHostBytes = hostBytes - (device?.sharedBytes ?? 0);
    const remember = await warmFromMemory(opened, layout, options);
    return {
      backend,
      store: opened,
      plan,
      layout,
      memoryBytes: (writtenRunBytes) =>
        ownHostBytes - processBytes(opened.writtenBytes + writtenRunBytes, options),
      plannedMemoryBytes: ownHostBytes - plan.processBytes,
      reservedRunBytes: reservedRun.hostBytes,
      device: device && {
        memoryBytes: device.limitBytes - device.ownBytes,
        reservedRunBytes: reservedRun.deviceBytes,
      },
      [Symbol.asyncDispose]: async () => {
        try {
          await remember?.();
          await opened[Symbol.asyncDispose]();
        } finally {
          await backend[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await store?.[Symbol.asyncDispose]();
    await backend[Symbol.asyncDispose]();
    throw error;
  }
}

/** Begins to read the experts that earlier runs used most; returns what remembers those of this run. */
async function warmFromMemory(
  store: LayerStore,
  layout: StoreLayout,
  { rememberExperts, prefetching, onNotice }: ResolvedOptions,
): Promise<(() => Promise<void>) | undefined> {
  if (!rememberExperts || !isWorthRemembering(layout)) return undefined;
  const path = await expertMemoryPath(layout.embedding.path, layout);
  if (prefetching) void store.warmExperts(await readExpertUses(path, layout, onNotice));
  return () => writeExpertUses(path, store.expertUses(), onNotice);
}
