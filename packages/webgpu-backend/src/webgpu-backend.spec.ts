/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// What the conformance suite does not ask of every backend: memory on the device, its limit, and weights larger than a slot.

import { Tensor, type WeightSlice } from '@airllm/backend';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createWebGpuBackend, probeWebGpu } from './index.js';

const MIB = 2 ** 20;
const probe = await probeWebGpu();
if (!probe.available) console.warn(`webgpu backend skipped: ${probe.reason}`);
const test = probe.available ? it : it.skip;

const tensor = (offset: number, rows: number, cols: number): Tensor =>
  new Tensor({ elements: rows * cols, offset }, rows, cols, cols, 0);

test('pinned weights stay when the host has written over its own', async () => {
  await using backend = await createWebGpuBackend({ stagingBytes: 4 * MIB });
  const { deviceMemory } = backend;
  const host = backend.allocateWeights(16);
  new Float32Array(host.bytes.buffer, 0, 4).set([1, 2, 3, 4]);
  const pinned = await deviceMemory?.pin(host);
  if (!pinned) throw new Error('no device memory');
  host.bytes.fill(0);
  const arena = backend.createArena(4);
  const [x, out] = [tensor(0, 1, 2), tensor(2, 1, 2)];
  await arena.write(x, Float32Array.of(1, 10));
  const weight: WeightSlice = { memory: pinned, byteOffset: 0, dtype: 'f32', rows: 2, cols: 2 };
  await backend.submit({
    arena,
    commands: [{ op: 'linear', x, weight, bias: undefined, normalizeRows: false, out }],
  });
  // 1 + 2 · 10, 3 + 4 · 10.
  expect(await arena.read(out)).toEqual(Float32Array.of(21, 43));
});

test('a weight larger than a staging slot is used by blocks of rows', async () => {
  // A slot is a quarter, 256 KiB; the weight has 1 MiB.
  await using backend = await createWebGpuBackend({ stagingBytes: MIB });
  const [rows, cols] = [1024, 256];
  const memory = backend.allocateWeights(4 * rows * cols);
  new Float32Array(memory.bytes.buffer, 0, rows * cols).forEach((_, i, values) => {
    values[i] = Math.floor(i / cols);
  });
  const arena = backend.createArena(cols + rows);
  const [x, out] = [tensor(0, 1, cols), tensor(cols, 1, rows)];
  await arena.write(x, new Float32Array(cols).fill(1));
  const weight: WeightSlice = { memory, byteOffset: 0, dtype: 'f32', rows, cols };
  await backend.submit({
    arena,
    commands: [{ op: 'linear', x, weight, bias: undefined, normalizeRows: false, out }],
  });
  // Row r holds r, 256 times.
  expect(await arena.read(out)).toEqual(Float32Array.from({ length: rows }, (_, row) => 256 * row));
});

test('memory past the limit is refused with nothing taken, and given back when disposed', async () => {
  await using backend = await createWebGpuBackend({
    ...{ memoryBytes: 4 * MIB, stagingBytes: MIB, workspaceBytes: MIB },
  });
  const before = backend.deviceMemory?.usedBytes;
  expect(before).toBe(2 * MIB);
  expect(() => backend.createArena(MIB)).toThrow(
    expect.objectContaining({
      code: 'OUT_OF_DEVICE_MEMORY',
      fields: expect.objectContaining({ freeBytes: 2 * MIB }),
    }),
  );
  expect(backend.deviceMemory?.usedBytes).toBe(before);
  const arena = backend.createArena(MIB / 4);
  expect(backend.deviceMemory?.usedBytes).toBe(3 * MIB);
  arena.dispose();
  expect(backend.deviceMemory?.usedBytes).toBe(before);
});

test('more groups than workgroups fit in one dimension are normalized once each, in place', async () => {
  await using backend = await createWebGpuBackend({ stagingBytes: MIB });
  // One dimension has 65535 workgroups at most; two of them have one too many for an odd number.
  const [rows, cols] = [65537, 4];
  const memory = backend.allocateWeights(4 * cols);
  new Float32Array(memory.bytes.buffer, 0, cols).set([1, 10, 100, 1000]);
  const weight: WeightSlice = { memory, byteOffset: 0, dtype: 'f32', rows: 1, cols };
  const arena = backend.createArena(rows * cols);
  const x = tensor(0, rows, cols);
  await arena.write(
    x,
    Float32Array.from({ length: rows * cols }, (_, i) => 1 + (i % cols)),
  );
  const norm = { op: 'rmsNorm', x, weight, groupWidth: cols, weightOffset: 0, eps: 0, out: x } as const;
  await backend.submit({ arena, commands: [norm] });
  // Rows 1, 2, 3, 4, whose mean square is 7.5.
  const length = Math.sqrt(7.5);
  const found = await arena.read(x);
  for (const row of [0, rows - 2, rows - 1]) {
    [1, 20, 300, 4000].forEach((value, col) => {
      expect((found[row * cols + col] ?? NaN) / (value / length)).toBeCloseTo(1, 5);
    });
  }
});

test('what was read and waited for is not kept', async () => {
  await using backend = await createWebGpuBackend({ stagingBytes: MIB });
  const arena = backend.createArena(1024);
  const readTimes = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await arena.read(tensor(0, 1, 1024));
  };
  await readTimes(200);
  const before = await bytesAlive();
  await readTimes(4000);
  // The values would be 16 MB, and a rejection for each some 600 bytes, 2.4 MB in all.
  expect((await bytesAlive()) - before).toBeLessThan(MIB);
});

/** Bytes of objects and their buffers after a full collection. */
async function bytesAlive(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let i = 0; i < 3; i++) {
    collect();
    await setImmediate();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test('weights of another backend are refused', async () => {
  await using backend = await createWebGpuBackend({ stagingBytes: MIB });
  await using other = await createWebGpuBackend({ stagingBytes: MIB });
  const weight: WeightSlice = {
    memory: other.allocateWeights(4),
    byteOffset: 0,
    dtype: 'f32',
    rows: 1,
    cols: 1,
  };
  const arena = backend.createArena(2);
  const [x, out] = [tensor(0, 1, 1), tensor(1, 1, 1)];
  const command = { op: 'linear', x, weight, bias: undefined, normalizeRows: false, out } as const;
  await expect(backend.submit({ arena, commands: [command] })).rejects.toMatchObject({
    code: 'INVALID_OPERAND',
  });
});

it('refuses sizes that are none', async () => {
  for (const options of [
    { stagingBytes: 1000 },
    { memoryBytes: MIB, stagingBytes: 2 * MIB },
    { workspaceBytes: 1000 },
    { memoryBytes: 2 * MIB, stagingBytes: MIB, workspaceBytes: 2 * MIB },
    { memoryBytes: NaN },
  ]) {
    await expect(createWebGpuBackend(options)).rejects.toMatchObject({ code: 'INVALID_OPERAND' });
  }
});

test('a backend takes over what a closed one has compiled, and nothing else', async () => {
  const first = await createWebGpuBackend({ stagingBytes: MIB });
  const arena = first.createArena(4);
  await arena.write(tensor(0, 1, 4), Float32Array.of(1, 2, 3, 4));
  await first[Symbol.asyncDispose]();
  // Its memory went with it, though it was not disposed.
  await expect(arena.read(tensor(0, 1, 4))).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
  await using second = await createWebGpuBackend({ stagingBytes: MIB, workspaceBytes: MIB });
  expect(second.deviceMemory?.usedBytes).toBe(2 * MIB);
  await using third = await createWebGpuBackend({ stagingBytes: MIB });
  const command = { op: 'fill', x: tensor(0, 1, 4), value: 7 } as const;
  for (const backend of [second, third]) {
    const fresh = backend.createArena(4);
    await expect(backend.submit({ arena, commands: [command] })).rejects.toMatchObject({
      code: 'INVALID_OPERAND',
    });
    await backend.submit({ arena: fresh, commands: [command] });
    expect(await fresh.read(tensor(0, 1, 4))).toEqual(Float32Array.of(7, 7, 7, 7));
  }
});
