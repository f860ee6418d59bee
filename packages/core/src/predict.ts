// What a plan means in seconds, from a quick look at the disk and the memory of this machine.

import type { Backend } from '@airllm/backend';
import { measureMemoryBandwidth } from '@airllm/cpu-backend';
import { measureDisk, samplePacking, tuneDisks, type LosslessKernels } from '@airllm/layer-store';
import { measureDevice, type DeviceSpeed } from './measure-device.js';
import type { ModelPlan, PreparedPlan } from './plan.js';

export interface ModelPrediction {
  readonly plan: ModelPlan;
  /** Of direct reads of this model's files; undefined when a token reads nothing. */
  readonly diskBytesPerSecond: number | undefined;
  /** Undefined without a native backend. */
  readonly memoryBytesPerSecond: number | undefined;
  /** Undefined where ops read the host's memory. */
  readonly device: DeviceSpeed | undefined;
  /** Dense bytes read from disk per pass once what stays is packed: see `packPinned`. */
  readonly packedStreamedBytesPerPass: number;
  /** Of a decode pass, once what stays in memory is there and packed; undefined where neither speed is known. */
  readonly secondsPerToken: number | undefined;
  /** Why reads went through the page cache: the disk's speed may then be the memory's. */
  readonly bufferedReason: string | undefined;
}

/** A short look: enough bytes to be far beyond a cache. */
const MEMORY_SAMPLE = { bytes: 256 * 2 ** 20, seconds: 0.3 };
/** Share of the memory's bandwidth that decoding reaches. */
const COMPUTE_SHARE = 0.8;

/** Reading, carrying to a device and computing overlap, so the slowest counts. */
export async function predict(
  { plan, layout }: PreparedPlan,
  backend: Backend,
  kernels: LosslessKernels | undefined,
): Promise<ModelPrediction> {
  const { pinnedBytes, streamedBytesPerPass } = plan;
  const allocate = (byteLength: number) => backend.allocateWeights(byteLength);
  const share = kernels && streamedBytesPerPass > 0 ? await samplePacking({ layout, allocate, kernels }) : 1;
  const roomMade = pinnedBytes / share - pinnedBytes;
  const packedStreamedBytesPerPass = Math.max(0, Math.round(streamedBytesPerPass - roomMade));
  const readBytes = packedStreamedBytesPerPass + plan.expectedExpertBytesPerPass;
  if (readBytes > 0) await tuneDisks({ layout, allocate });
  const disk = readBytes > 0 ? await measureDisk({ layout, allocate }) : undefined;
  const memory = backend.name === 'cpu' ? await measureMemoryBandwidth(MEMORY_SAMPLE) : undefined;
  const { limitBytes = 0, ownBytes = 0 } = plan.device ?? {};
  const device = await measureDevice(backend, { roomBytes: limitBytes - ownBytes });
  const carriedBytes = plan.device?.carriedBytesPerPass ?? 0;
  const seconds = [
    ...(device ? [carriedBytes / device.busBytesPerSecond] : []),
    ...(device ? [plan.computedBytesPerPass / device.weightBytesPerSecond] : []),
    ...(disk ? [readBytes / disk.bytesPerSecond] : []),
    ...(memory ? [plan.computedBytesPerPass / (memory.bytesPerSecond * COMPUTE_SHARE)] : []),
  ];
  return {
    plan,
    diskBytesPerSecond: disk?.bytesPerSecond,
    memoryBytesPerSecond: memory?.bytesPerSecond,
    device,
    packedStreamedBytesPerPass,
    secondsPerToken: seconds.length > 0 ? Math.max(...seconds) : undefined,
    bufferedReason: disk?.bufferedReason,
  };
}
