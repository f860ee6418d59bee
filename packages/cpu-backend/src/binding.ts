// The whole native boundary: what cpu.node exports, in types. Nothing else in this package touches the addon.

import { loadAddon } from '@airllm/native';

/**
 * Instruction sets the kernels are compiled for; `auto` takes the best the machine has. `avx512vbmi` is `avx512` with VBMI,
 * VBMI2 and GFNI (Ice Lake, Zen 4 and later), `amx` that with eight-bit weights in tiles (Sapphire Rapids and later, Linux).
 */
export type InstructionSet = 'auto' | 'scalar' | 'avx2' | 'avx512' | 'avx512vbmi' | 'amx' | 'neon';

/**
 * One driver thread, its workers, and memory by number. Methods throw or reject with errors that carry a
 * `code` of the compute contract. Words are laid out by encode-submission.ts.
 */
export interface NativeEngine {
  /** The set that `auto` became. */
  readonly instructionSet: Exclude<InstructionSet, 'auto'>;
  /** What multiplies in bf16; empty when nothing does. */
  readonly fastSet: '' | 'amx' | 'avx512bf16';
  /** Reserves zero-filled pages; `fullyWritten` permits huge pages. Returns the memory's number. */
  allocate(byteLength: number, fullyWritten: boolean): number;
  /** The memory as an ArrayBuffer; once per number. */
  expose(memory: number): ArrayBuffer;
  /** Unmaps the memory, after submissions in flight that use it, and detaches its ArrayBuffer. */
  release(memory: number, exposed?: ArrayBuffer): void;
  /** Runs commands in order, after everything submitted before. Resolves to the seconds worked. */
  submit(words: Float64Array): Promise<number>;
  /** Copies packed rows into a tensor: at once (undefined) when nothing is queued, else in order. */
  write(memory: number, tensor: Float64Array, data: Float32Array): Promise<number> | undefined;
  /** Copies a tensor's rows out, packed: at once when nothing is queued, else in order. */
  read(memory: number, tensor: Float64Array): Promise<Float32Array> | Float32Array;
  /** Ends the threads. Memory stays until it is released. */
  close(): void;
}

export interface NativeBinding {
  /** `fast` allows what {@link NativeEngine.fastSet} names. */
  readonly Engine: new (instructionSet: InstructionSet, threads: number, fast: boolean) => NativeEngine;
  /** Resolves to bytes per second. */
  measureMemoryBandwidth(
    instructionSet: InstructionSet,
    bytes: number,
    threads: number,
    seconds: number,
  ): Promise<number>;
  /** Resolves to multiply-adds per second: in bf16 with `fast` where it is faster, else in float32. */
  measureComputePeak(
    instructionSet: InstructionSet,
    fast: boolean,
    threads: number,
    seconds: number,
  ): Promise<number>;
}

let binding: NativeBinding | undefined;

/** @throws NativeAddonError of `@airllm/native` */
export function loadBinding(): NativeBinding {
  binding ??= loadAddon<NativeBinding>({ packageDir: new URL('..', import.meta.url), name: 'cpu' });
  return binding;
}
