// Whether a device computes, found by a product whose result is known. Its driver is loaded into this process.

import { Tensor, type Backend } from '@airllm/backend';
import type { DeviceAnswer } from './device-answer.js';
import type { GpuDevice } from './gpu-devices.js';

const MEMORY_BYTES = 64 * 2 ** 20;
const X = [1, 10, 100, 1000];
/** [2, 4], row-major. */
const WEIGHT = [1, 2, 3, 4, -5, 6, -7, 8];
/** 1 + 20 + 300 + 4000 and −5 + 60 − 700 + 8000: exact in float32. */
const EXPECTED = [4321, 7355];

/** Never rejects: whatever goes wrong is the reason. */
export async function tryDevice({ probe, open }: GpuDevice): Promise<DeviceAnswer> {
  try {
    const found = await probe();
    if (!found.available) return { works: false, reason: found.reason };
    await using backend = await open({ memoryBytes: MEMORY_BYTES });
    const result = await multiply(backend);
    const { name, isSoftware } = found;
    if (result.every((value, i) => value === EXPECTED[i])) return { works: true, name, isSoftware };
    return {
      works: false,
      reason: `${name} computes wrong: expected ${EXPECTED.join(', ')} but received ${result.join(', ')}; update its driver`,
    };
  } catch (error) {
    return { works: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

async function multiply(backend: Backend): Promise<number[]> {
  const [rows, cols] = [EXPECTED.length, X.length];
  const storage = { elements: cols + rows, offset: 0 };
  const x = new Tensor(storage, 1, cols, cols, 0);
  const out = new Tensor(storage, 1, rows, rows, cols);
  const memory = backend.allocateWeights(4 * WEIGHT.length);
  const arena = backend.createArena(storage.elements);
  try {
    new Float32Array(memory.bytes.buffer, memory.bytes.byteOffset, WEIGHT.length).set(WEIGHT);
    const weight = { memory, byteOffset: 0, dtype: 'f32', rows, cols } as const;
    await arena.write(x, Float32Array.from(X));
    await backend.submit({
      arena,
      commands: [{ op: 'linear', x, weight, bias: undefined, normalizeRows: false, out }],
    });
    return [...(await arena.read(out))];
  } finally {
    arena.dispose();
    memory.dispose();
  }
}
