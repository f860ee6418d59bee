// How the memory of a device with its own is spent: what the backend needs itself, the run at hand, then weights.

import type { RunDemand } from '@airllm/generate';
import type { StoreLayout, StorePlacement } from '@airllm/layer-store';
import { CoreError } from './errors.js';
import { LEAST_DEVICE_BYTES, type DeviceBudget } from './open-device.js';
import type { LayerPlan } from './plan.js';

/** All figures in bytes. */
export interface DevicePlan {
  /** The budget: what the backend stays under, by the figure that it goes by (`DeviceMemory.usedBytes`). */
  readonly limitBytes: number;
  /** Its buffers for weights on their way and for what ops keep in between. */
  readonly ownBytes: number;
  /** Tiles that stay there. */
  readonly pinnedBytes: number;
  /** Copies of norms, biases and what stands beside packed weights. */
  readonly fixedBytes: number;
  /** Activations and KV cache, with what the device may round their buffers up to. */
  readonly runBytes: number;
  /** Dense weights, and experts that a token is routed to, which every pass carries there from host memory. */
  readonly carriedBytesPerPass: number;
  /** The smallest `memory.device` that works, for a run of few tokens; nothing would stay there. */
  readonly minimumBytes: number;
}

/** What is left of a device for weights. */
export interface DeviceRoom {
  readonly runBytes: number;
  readonly weightBytes: number;
  /** A tile in host memory is carried over whole, beside the next one. */
  readonly largestTileBytes: number;
  readonly minimumBytes: number;
}

/** The part of a backend's buffers for weights on their way that one tile may take. */
const TILE_SHARE_OF_STAGING = 1 / 4;

/**
 * @param run.smallest bytes on the device of the smallest run that is planned for
 * @throws CoreError `BUDGET_TOO_SMALL` (fields `minimumDeviceBytes`, `deviceBytes`)
 */
export function divideDevice(
  { limitBytes, ownBytes, stagingBytes }: DeviceBudget,
  run: { readonly demand: RunDemand; readonly smallest: number },
): DeviceRoom {
  // Of a larger budget a backend takes no larger part for itself.
  const openedBytes = Math.max(limitBytes, LEAST_DEVICE_BYTES);
  const minimumBytes = Math.max(
    LEAST_DEVICE_BYTES,
    Math.ceil((run.smallest * openedBytes) / (openedBytes - ownBytes)),
  );
  const runBytes = run.demand.deviceBytes;
  const weightBytes = limitBytes - ownBytes - runBytes;
  if (limitBytes < minimumBytes || weightBytes < 0) {
    throw new CoreError(
      'BUDGET_TOO_SMALL',
      `Expected memory.device of at least ${minimumBytes} bytes (${Math.ceil(minimumBytes / 1e6)}MB) for this model but received ${limitBytes}`,
      { fields: { minimumDeviceBytes: minimumBytes, deviceBytes: limitBytes } },
    );
  }
  const largestTileBytes = Math.floor(stagingBytes * TILE_SHARE_OF_STAGING);
  return { runBytes, weightBytes, largestTileBytes, minimumBytes };
}

export function planDevice(
  { limitBytes, ownBytes }: DeviceBudget,
  parts: {
    readonly room: DeviceRoom;
    readonly placement: StorePlacement;
    readonly layers: readonly LayerPlan[];
    readonly layout: StoreLayout;
  },
): DevicePlan {
  const { room, placement, layers, layout } = parts;
  return {
    limitBytes,
    ownBytes,
    pinnedBytes: placement.deviceBytes,
    fixedBytes: placement.residentsOnDevice ? layout.residents.byteLength : 0,
    runBytes: room.runBytes,
    carriedBytesPerPass: layers.reduce(
      (sum, { pinnedBytes, streamedBytes, routedBytes }) => sum + pinnedBytes + streamedBytes + routedBytes,
      0,
    ),
    minimumBytes: room.minimumBytes,
  };
}
