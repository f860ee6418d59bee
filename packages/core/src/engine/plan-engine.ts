// What an engine will hold, from the options and what the process holds now. Asks the device, opens nothing else.

import type { Checkpoint } from '@airllm/checkpoint';
import type { ModelDefinition } from '@airllm/model-zoo';
import { openDevice, type DeviceBudget, type OpenedDevice } from '../open-device.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { preparePlan, type PreparedPlan } from '../plan.js';
import { selectBackend, workingBytes, type DeviceChoice } from '../select-backend.js';

/** Room for the JavaScript heap, thread stacks and code to grow between two looks at what the process holds. */
const PROCESS_RESERVE_BYTES = 16 * 1024 * 1024;

/** A model, and how it is to be opened. */
export interface EngineSource {
  readonly checkpoint: Checkpoint;
  readonly definition: ModelDefinition;
  readonly options: ResolvedOptions;
  /** Default: {@link selectBackend}. */
  readonly select?: typeof selectBackend;
}

export type EngineOptions = Pick<ResolvedOptions, 'device' | 'threads' | 'precision'>;

/** Opens the device of the options, with what it may hold of its own memory. */
export function openOptionsDevice(
  options: DeviceChoice & Pick<ResolvedOptions, 'deviceMemory' | 'hostBytes'>,
  select = selectBackend,
): Promise<OpenedDevice> {
  return openDevice({
    request: options.deviceMemory,
    hostBytes: options.hostBytes,
    select: (deviceBytes) => select({ ...options, deviceBytes }),
    onNotice: options.onNotice,
  });
}

/** @param processBytes what the process takes beside weights and runs */
export function planEngine(
  { checkpoint, definition, options }: EngineSource,
  device: DeviceBudget | undefined,
  processBytes: number,
): PreparedPlan {
  return preparePlan({
    definition,
    tensors: checkpoint.tensors,
    hostBytes: options.hostBytes,
    processBytes,
    device,
    maxSeqLen: options.maxSeqLen,
  });
}

/** What the process takes beside `writtenBytes` of weights and runs that it has committed, with room to grow. */
export function processBytes(writtenBytes: number, options: EngineOptions): number {
  const beside = Math.max(0, process.memoryUsage.rss() - writtenBytes);
  return beside + PROCESS_RESERVE_BYTES + workingBytes(options);
}
