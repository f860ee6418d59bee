// Hands dispatches over to the device: places the host weights they name, fills in their numbers, and records them in one
// compute pass and one submission. Only weights that do not fit in a staging slot together make it several.

import { BackendError } from '@airllm/backend';
import type { Gpu } from '../gpu/gpu.js';
import { HostWeightMemory, PinnedWeightMemory } from '../memory/weight-memory.js';
import { isRange, type Dispatch, type Operand, type WeightRange } from './dispatch.js';
import { MAX_BINDINGS } from './kernel.js';
import { BINDING_ALIGNMENT, type Staging, type StagingSlot } from './staging.js';

/** Weights are placed by it, so that kernels can read them by vectors. */
const PLACEMENT = 16;

export async function runDispatches(
  dispatches: readonly Dispatch[],
  { gpu, staging }: { gpu: Gpu; staging: Staging },
): Promise<void> {
  await gpu.compile(dispatches.map(({ kernel }) => kernel));
  let load: Load | undefined;
  for (const dispatch of dispatches) {
    if (load && !load.fits(dispatch)) {
      load.submit();
      load = undefined;
    }
    load ??= new Load(gpu, await staging.acquire());
    load.add(dispatch);
  }
  load?.submit();
}

/** Where a weight lies on the device. */
interface Place {
  readonly buffer: GPUBuffer;
  readonly byteOffset: number;
}

/** What goes to the device together: weights from the start of a slot on, numbers of dispatches at its end. */
class Load {
  readonly #gpu: Gpu;
  readonly #slot: StagingSlot;
  readonly #dispatches: { dispatch: Dispatch; paramsOffset: number }[] = [];
  readonly #placed = new Map<object, Map<string, number>>();
  #weightsEnd = 0;
  #paramsStart: number;

  constructor(gpu: Gpu, slot: StagingSlot) {
    this.#gpu = gpu;
    this.#slot = slot;
    this.#paramsStart = slot.byteLength;
  }

  fits(dispatch: Dispatch): boolean {
    const weightBytes = dispatch.operands
      .filter(isRange)
      .filter((range) => this.#placeOf(range) === undefined)
      .reduce((sum, { byteLength }) => sum + roundUp(byteLength, PLACEMENT), 0);
    return this.#weightsEnd + weightBytes + paramsBytes(dispatch) <= this.#paramsStart;
  }

  /** @throws BackendError `OUT_OF_DEVICE_MEMORY` for one that does not fit even alone */
  add(dispatch: Dispatch): void {
    if (!this.fits(dispatch)) {
      throw new BackendError(
        'OUT_OF_DEVICE_MEMORY',
        `Expected the operands of ${dispatch.kernel.name} to fit in ${this.#slot.byteLength} bytes for weights on their way; raise stagingBytes`,
        { fields: { slotBytes: this.#slot.byteLength } },
      );
    }
    for (const range of dispatch.operands.filter(isRange)) this.#carry(range);
    this.#paramsStart -= paramsBytes(dispatch);
    this.#dispatches.push({ dispatch, paramsOffset: this.#paramsStart });
  }

  submit(): void {
    const { device } = this.#gpu;
    const params = new Uint32Array((this.#slot.byteLength - this.#paramsStart) / 4);
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    for (const { dispatch, paramsOffset } of this.#dispatches) {
      const { kernel, operands, words, list = [], groups } = dispatch;
      const start = (paramsOffset - this.#paramsStart) / 4;
      params.set(words, start + MAX_BINDINGS);
      params.set(list, start + MAX_BINDINGS + words.length);
      const size = paramsBytes(dispatch);
      const entries: GPUBindGroupEntry[] = [
        { binding: 0, resource: { buffer: this.#slot.buffer, offset: paramsOffset, size } },
      ];
      operands.forEach((operand, i) => {
        const { resource, at } = this.#bind(operand);
        params[start + i + 1] = at;
        entries.push({ binding: i + 1, resource });
      });
      const { pipeline, layout } = this.#gpu.pipelineOf(kernel);
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout, entries }));
      pass.dispatchWorkgroups(...groups);
    }
    pass.end();
    device.queue.writeBuffer(this.#slot.buffer, this.#paramsStart, params);
    device.queue.submit([encoder.finish()]);
    this.#slot.idle = this.#gpu.finished().catch(() => undefined); // the submission hears of the loss
  }

  /** Copies a host range to the slot unless it is there. */
  #carry(range: WeightRange): void {
    if (this.#placeOf(range)) return;
    const { memory, byteOffset, byteLength } = range;
    if (!(memory instanceof HostWeightMemory)) throw notOurs();
    let offsets = this.#placed.get(memory);
    if (!offsets) this.#placed.set(memory, (offsets = new Map<string, number>()));
    offsets.set(keyOf(range), this.#weightsEnd);
    const words = memory.wordsOf(byteOffset, byteLength);
    this.#gpu.device.queue.writeBuffer(this.#slot.buffer, this.#weightsEnd, words);
    this.#weightsEnd += roundUp(byteLength, PLACEMENT);
  }

  #placeOf(range: WeightRange): Place | undefined {
    const { memory, byteOffset } = range;
    if (memory instanceof PinnedWeightMemory) return { buffer: memory.buffer, byteOffset };
    const offset = this.#placed.get(memory)?.get(keyOf(range));
    return offset === undefined ? undefined : { buffer: this.#slot.buffer, byteOffset: offset };
  }

  /** The binding of an operand, and where in it a weight begins. */
  #bind(operand: Operand | undefined): { resource: GPUBufferBinding; at: number } {
    if (!operand) return { resource: { buffer: this.#gpu.nothing }, at: 0 };
    if (!isRange(operand)) return { resource: { buffer: operand }, at: 0 };
    const place = this.#placeOf(operand);
    if (!place) throw notOurs();
    const { buffer, byteOffset } = place;
    const offset = Math.floor(byteOffset / BINDING_ALIGNMENT) * BINDING_ALIGNMENT;
    const at = byteOffset - offset;
    const size = Math.min(buffer.size - offset, roundUp(at + operand.byteLength, PLACEMENT));
    return { resource: { buffer, offset, size }, at };
  }
}

/** @throws BackendError `INVALID_OPERAND` for weights of another backend */
export function expectOwnWeights(dispatches: readonly Dispatch[], owned: WeakSet<object>): void {
  for (const { operands } of dispatches) {
    for (const range of operands.filter(isRange)) if (!owned.has(range.memory)) throw notOurs();
  }
}

function notOurs(): BackendError {
  return new BackendError('INVALID_OPERAND', 'Expected weight memory of this backend');
}

function keyOf({ byteOffset, byteLength }: WeightRange): string {
  return `${byteOffset} ${byteLength}`;
}

/** The struct's list has at least one word. */
function paramsBytes({ words, list = [] }: Dispatch): number {
  return roundUp(4 * (MAX_BINDINGS + words.length + Math.max(1, list.length)), BINDING_ALIGNMENT);
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
