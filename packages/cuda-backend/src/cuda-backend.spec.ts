// What a backend with memory of its own promises, on the emulated device.

import { Tensor, type Backend, type Command, type WeightSlice } from '@airllm/backend';
import { createEmulatedBackend } from './emulated.js';

const MB = 2 ** 20;
const opened: Backend | string = await createEmulatedBackend({ deviceBytes: 64 * MB }).catch(String);
if (typeof opened === 'string') console.warn(`cuda-backend on the emulated device skipped: ${opened}`);
else await opened[Symbol.asyncDispose]();
const onDevice = typeof opened === 'string' ? describe.skip : describe;

const x = new Tensor({ elements: 4, offset: 0 }, 1, 4, 4, 0);
const out = new Tensor({ elements: 2, offset: 8 }, 1, 2, 2, 0);

function linear(weight: WeightSlice): Command<WeightSlice> {
  return { op: 'linear', x, weight, bias: undefined, normalizeRows: false, out };
}

function memoryOf(backend: Backend) {
  if (!backend.deviceMemory) throw new Error('Expected memory of its own');
  return backend.deviceMemory;
}

onDevice('a backend with memory of its own', () => {
  it('computes with pinned weights after the host has given its own back', async () => {
    await using backend = await createEmulatedBackend();
    const host = backend.allocateWeights(36);
    // [1, 2, 3, 4] and [5, 6, 7, 8], one float into the memory.
    host.bytes.set(new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8).buffer));
    const pinned = await memoryOf(backend).pin(host);
    host.bytes.fill(0xff);
    host.dispose();
    expect(pinned).toMatchObject({ byteLength: 36, bytes: new Uint8Array() });
    const arena = backend.createArena(16);
    await arena.write(x, Float32Array.of(1, 1, 1, 10));
    const weight = { memory: pinned, byteOffset: 4, dtype: 'f32', rows: 2, cols: 4 } as const;
    await backend.submit({ commands: [linear(weight)], arena });
    // 1 + 2 + 3 + 40 and 5 + 6 + 7 + 80.
    expect([...(await arena.read(out))]).toEqual([46, 98]);
    pinned.dispose();
    arena.dispose();
  });

  it('counts what it holds, and refuses more than its limit with nothing taken', async () => {
    await using backend = await createEmulatedBackend({ deviceBytes: 128 * MB, memoryBytes: 64 * MB });
    const memory = memoryOf(backend);
    expect(memory.limitBytes).toBe(64 * MB);
    const before = memory.usedBytes;
    expect(before).toBeGreaterThanOrEqual(memory.stagingBytes);
    const arena = backend.createArena(MB);
    expect(memory.usedBytes).toBe(before + 4 * MB);
    const host = backend.allocateWeights(60 * MB);
    await expect(memory.pin(host)).rejects.toMatchObject({ code: 'OUT_OF_DEVICE_MEMORY' });
    expect(() => backend.createArena(16 * MB)).toThrow(
      expect.objectContaining({ code: 'OUT_OF_DEVICE_MEMORY' }),
    );
    expect(memory.usedBytes).toBe(before + 4 * MB);
    arena.dispose();
    expect(memory.usedBytes).toBe(before);
    host.dispose();
  });

  it('refuses a command that its staging memory does not hold, and works on', async () => {
    await using backend = await createEmulatedBackend({ stagingBytes: 2 * MB });
    const memory = backend.allocateWeights(2 * MB);
    const arena = backend.createArena(2 ** 18);
    const wide = new Tensor({ elements: 2 ** 17, offset: 0 }, 1, 2 ** 17, 2 ** 17, 0);
    const weight = { memory, byteOffset: 0, dtype: 'f32', rows: 2, cols: 2 ** 17 } as const;
    const narrow = { ...weight, rows: 1 };
    const at = { op: 'linear', x: wide, bias: undefined, normalizeRows: false } as const;
    const to = (rows: number): Tensor => new Tensor({ elements: rows, offset: 2 ** 17 }, 1, rows, rows, 0);
    await expect(
      backend.submit({ commands: [{ ...at, weight: { ...weight, rows: 4 }, out: to(4) }], arena }),
    ).rejects.toMatchObject({ code: 'OUT_OF_DEVICE_MEMORY' });
    await backend.submit({ commands: [{ ...at, weight: narrow, out: to(1) }], arena });
    memory.dispose();
    arena.dispose();
  });

  it('refuses more than the device has free', async () => {
    const opening = createEmulatedBackend({ deviceBytes: 64 * MB, memoryBytes: 65 * MB });
    await expect(opening).rejects.toMatchObject({ code: 'OUT_OF_DEVICE_MEMORY' });
  });

  it.each([-1, 0.5, NaN])('refuses %p bytes', async (memoryBytes) => {
    await expect(createEmulatedBackend({ memoryBytes })).rejects.toMatchObject({ code: 'INVALID_OPERAND' });
  });
});
