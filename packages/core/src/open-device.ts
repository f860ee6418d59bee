// The device that computes, with what `memory.device` lets it hold of its own memory: limited to what there is, and refused
// where there is none.

import { BackendError, type Backend } from '@airllm/backend';
import { CoreError } from './errors.js';
import type { DeviceMemoryRequest } from './options/device-memory.js';

/** What a device with memory of its own may hold there. */
export interface DeviceBudget {
  /** The promise. */
  readonly limitBytes: number;
  /** Of it, what the backend took for itself when it was opened. */
  readonly ownBytes: number;
  /** Of these, for weights on their way. */
  readonly stagingBytes: number;
  /** Of `limitBytes`, what is taken from `memory.host` too: all of it where host and device share their memory, else 0. */
  readonly sharedBytes: number;
}

export interface OpenedDevice {
  readonly backend: Backend;
  /** Undefined where ops read the host's memory. */
  readonly budget: DeviceBudget | undefined;
}

/** A backend needs as much for its own buffers, whatever the model: no smaller promise is made. */
export const LEAST_DEVICE_BYTES = 64 * 2 ** 20;

/** Of `memory.host`, where it is the device's too: the rest is for the process, and for weights on their way. */
const MOST_SHARED = 3 / 4;

/**
 * @param options.hostBytes the budget of the process, which a device that shares the host's memory takes from
 * @param options.select opens a backend that may hold `deviceBytes`, or by default what the device has for this process
 * @throws CoreError `INVALID_OPTION` when memory is asked for of a device that has none of its own; whatever `select` throws
 */
export async function openDevice(options: {
  readonly request: DeviceMemoryRequest | undefined;
  readonly hostBytes: number;
  readonly select: (deviceBytes: number | undefined) => Promise<Backend>;
  readonly onNotice: (line: string) => void;
}): Promise<OpenedDevice> {
  const { request, hostBytes, onNotice, select } = options;
  const withAtLeast = (bytes: number): Promise<Backend> => select(Math.max(LEAST_DEVICE_BYTES, bytes));
  let wantedBytes = request?.bytes;
  let backend = await (wantedBytes === undefined ? select(undefined) : withAtLeast(wantedBytes)).catch(
    (error: unknown) => {
      if (wantedBytes === undefined || !isTooMuch(error)) throw error;
      return select(undefined);
    },
  );
  const { deviceMemory } = backend;
  if (!deviceMemory) {
    if (!request) return { backend, budget: undefined };
    await backend[Symbol.asyncDispose]();
    throw noOwnMemory(backend.name);
  }
  const mostBytes = deviceMemory.sharesHostMemory
    ? Math.min(deviceMemory.limitBytes, Math.floor(hostBytes * MOST_SHARED))
    : deviceMemory.limitBytes;
  if (wantedBytes !== undefined && wantedBytes > mostBytes) {
    const [wanted, most] = [wantedBytes, mostBytes].map((bytes) => Math.floor(bytes / 1e6));
    onNotice(
      `airllm: memory.device is ${wanted}MB but the device has ${most}MB for this process: it is limited to that.`,
    );
  }
  if (request?.share !== undefined) wantedBytes = Math.floor(mostBytes * request.share);
  wantedBytes = Math.min(wantedBytes ?? mostBytes, mostBytes);
  if (Math.max(LEAST_DEVICE_BYTES, wantedBytes) < deviceMemory.limitBytes) {
    await backend[Symbol.asyncDispose]();
    backend = await withAtLeast(wantedBytes);
  }
  return { backend, budget: budgetOf(backend, wantedBytes) };
}

function budgetOf({ deviceMemory }: Backend, wantedBytes: number): DeviceBudget | undefined {
  if (!deviceMemory) return undefined;
  const { usedBytes: ownBytes, stagingBytes, sharesHostMemory } = deviceMemory;
  const limitBytes = Math.min(deviceMemory.limitBytes, wantedBytes);
  return { limitBytes, ownBytes, stagingBytes, sharedBytes: sharesHostMemory ? limitBytes : 0 };
}

function isTooMuch(error: unknown): boolean {
  return error instanceof BackendError && error.code === 'OUT_OF_DEVICE_MEMORY';
}

function noOwnMemory(device: string): CoreError {
  const expected = 'a device with memory of its own';
  return new CoreError(
    'INVALID_OPTION',
    `Expected ${expected} for memory.device but received ${device}, which computes in the host's memory. Leave memory.device out (memory.host counts everything), or choose a GPU (airllm doctor lists them).`,
    { fields: { option: 'memory.device', expected, found: device } },
  );
}
