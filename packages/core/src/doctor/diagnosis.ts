// What `diagnose` finds: facts, the choice, and what to do about what is missing.

import type { GpuDeviceName } from '../devices/gpu-devices.js';

export interface Diagnosis {
  readonly system: SystemFacts;
  readonly memory: MemoryFacts;
  readonly drivers: DriverFacts;
  readonly devices: readonly DeviceFacts[];
  /** What `device: 'auto'` takes. */
  readonly chosen: 'cpu' | 'reference' | GpuDeviceName;
  readonly disk: DiskFacts;
  /** What is missing and how to get it, a sentence each. */
  readonly advice: readonly string[];
}

export interface SystemFacts {
  readonly node: string;
  /** Such as `linux-x64`. */
  readonly platform: string;
  readonly os: string;
  readonly cpu: string;
  readonly cores: number;
  /** Instruction set extensions that kernels can use, as the system names them. */
  readonly cpuFeatures: readonly string[];
}

/** Bytes. */
export interface MemoryFacts {
  readonly totalBytes: number;
  /** What this process may still take. */
  readonly availableBytes: number;
  /** Of the container; undefined where nothing limits it. */
  readonly limitBytes: number | undefined;
  /** What `memory.host: 'auto'` takes now. */
  readonly autoBytes: number;
}

export interface DriverFacts {
  /** Device nodes of GPUs (Linux). */
  readonly gpuNodes: readonly string[];
  /** Manifests of Vulkan drivers that the loader looks at (Linux). */
  readonly vulkanManifests: readonly string[];
  /** Path of Vulkan's loader (Linux). */
  readonly vulkanLoader: string | undefined;
  /** First line of the NVIDIA kernel driver's version (Linux). */
  readonly nvidia: string | undefined;
}

export interface DeviceFacts {
  readonly device: 'cpu' | 'reference' | GpuDeviceName;
  readonly works: boolean;
  /** Where it works. */
  readonly name: string | undefined;
  readonly isSoftware: boolean;
  readonly chosen: boolean;
  /** Why `auto` takes it or passes it over. */
  readonly reason: string;
}

export interface DiskFacts {
  /** Where models are kept. */
  readonly folder: string;
  readonly freeBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** Why reads went through the page cache, or were not measured. */
  readonly note: string | undefined;
}
