// The contract every compute device fulfils. Files, layers and models are unknown here.

import type { BatchLayout, KvCacheShape } from './batch.js';
import type { Command } from './command.js';
import type { DType } from './dtype.js';
import type { Tensor } from './tensor.js';
import type { WeightMemory, WeightSlice } from './weight.js';

/** Memory for activations: `elements` float32 values that tensors of finished programs point into. */
export interface Arena {
  readonly elements: number;
  readonly byteLength: number;
  /** Writes `data` (tensor.rows · tensor.cols values, row-major), after all earlier submissions. */
  write(tensor: Tensor, data: Float32Array): Promise<void>;
  /** Reads a tensor row-major, after all earlier submissions. */
  read(tensor: Tensor): Promise<Float32Array>;
  /** Gives the memory back. No submission may be in flight. */
  dispose(): void;
}

/** Keys and values of every layer, zero-filled or untouched until an attention op appends. */
export interface KvCache {
  readonly shape: KvCacheShape;
  readonly byteLength: number;
  /** Gives the memory back. No submission may be in flight. */
  dispose(): void;
}

/** Commands to run in order, in one call to the device. */
export interface Submission {
  readonly commands: readonly Command<WeightSlice>[];
  readonly arena: Arena;
  /** Needed by attention commands. */
  readonly kvCache?: KvCache;
  /** Needed by attention commands. */
  readonly batch?: BatchLayout;
}

export interface SubmissionResult {
  /** Seconds the device worked on this submission, waiting in the queue excluded. */
  readonly computeSeconds: number;
}

/** The memory of a device that does not compute in the host's. */
export interface DeviceMemory {
  /** What the backend may hold on the device, by its own option or the device's free memory when it was opened. */
  readonly limitBytes: number;
  /**
   * What it holds now: weights, arenas, KV caches, and from the start its own buffers, for weights on their way and for what
   * ops keep in between.
   */
  readonly usedBytes: number;
  /** Of `limitBytes`, kept for weights on their way from the host: never given to `pin`, arenas or KV caches. */
  readonly stagingBytes: number;
  /** True where what is held on the device is taken from the host's memory, as on integrated GPUs. Absent: it is not. */
  readonly sharesHostMemory?: boolean;
  /**
   * Copies host weight memory of this backend to the device for good. When it settles, the host's bytes may be written
   * again or given back; slices of the result use the same offsets.
   *
   * @throws BackendError `OUT_OF_DEVICE_MEMORY`, with nothing taken
   */
  pin(memory: WeightMemory): Promise<WeightMemory>;
}

/**
 * One compute device. Submissions run in the order given, off the JavaScript thread where the device
 * allows it; a submission's memory must stay alive until its promise settles.
 *
 * @example
 * await using backend = await createCpuBackend();
 * await backend.submit({ commands, arena });
 */
export interface Backend extends AsyncDisposable {
  /** `reference`, `cpu`, `cuda` … */
  readonly name: string;
  /** One line for people: instruction set, threads, device name. */
  readonly description: string;
  readonly dtypes: readonly DType[];
  /** Packed dtypes that one row is multiplied by about as fast as memory is read. Absent: none is known to be. */
  readonly memorySpeedDTypes?: readonly DType[];
  /**
   * Absent where ops read host memory in place. Where it is there, a submission carries the host weights that its
   * commands name to the device by itself, while earlier submissions compute.
   */
  readonly deviceMemory?: DeviceMemory;
  /** Memory that is only reserved here: pages are committed when written. */
  allocateWeights(byteLength: number): WeightMemory;
  createArena(elements: number): Arena;
  createKvCache(shape: KvCacheShape): KvCache;
  submit(submission: Submission): Promise<SubmissionResult>;
}
