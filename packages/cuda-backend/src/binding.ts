// The whole native boundary: what cuda.node and cuda_emulated.node export, in types. Nothing else in this package touches them.

import { loadAddon } from '@airllm/native';

/** What a native engine opens with; 0 for a default. */
export interface NativeOptions {
  /** Path of the driver's library; empty for the system's. */
  readonly library: string;
  readonly device: number;
  readonly memoryBytes: number;
  readonly stagingBytes: number;
  readonly workspaceBytes: number;
  readonly fast: boolean;
  /** Memory of an emulated device. */
  readonly emulatedBytes: number;
}

/**
 * One device, two threads that feed it, and memory by number. Methods throw or reject with errors that carry a `code` of the
 * compute contract. Words are laid out by `@airllm/native-submission`.
 */
export interface NativeEngine {
  readonly deviceName: string;
  readonly computeCapability: string;
  readonly limitBytes: number;
  readonly stagingBytes: number;
  /** Locks pages of the host. Returns the memory's number. */
  allocateHost(byteLength: number): number;
  /** Takes memory of the device. Returns its number. */
  allocateDevice(byteLength: number): number;
  /** Host memory as an ArrayBuffer; once per number. */
  expose(memory: number): ArrayBuffer;
  /** Gives memory back, after submissions in flight that use it, and detaches its ArrayBuffer. */
  release(memory: number, exposed?: ArrayBuffer): void;
  /** Runs commands in order, after everything submitted before. Resolves to the seconds worked. */
  submit(words: Float64Array): Promise<number>;
  /** Copies host memory to the device; resolves to the copy's number. */
  pin(memory: number): Promise<number>;
  /** Copies packed rows into a tensor, in order. */
  write(memory: number, tensor: Float64Array, data: Float32Array): Promise<number>;
  /** Copies a tensor's rows out, packed, in order. */
  read(memory: number, tensor: Float64Array): Promise<Float32Array>;
  usedBytes(): number;
  /** Ends the threads. Memory stays until it is released. */
  close(): void;
}

export interface NativeProbe {
  readonly driverVersion: string;
  readonly devices: readonly {
    readonly name: string;
    readonly computeCapability: string;
    readonly totalBytes: number;
    readonly freeBytes: number;
  }[];
}

export interface NativeBinding {
  readonly Engine: new (options: NativeOptions) => NativeEngine;
  probe(library: string): NativeProbe;
}

export type AddonName = 'cuda' | 'cuda_emulated';

const bindings = new Map<AddonName, NativeBinding>();

/** @throws NativeAddonError of `@airllm/native` */
export function loadBinding(name: AddonName): NativeBinding {
  const binding =
    bindings.get(name) ?? loadAddon<NativeBinding>({ packageDir: new URL('..', import.meta.url), name });
  bindings.set(name, binding);
  return binding;
}
