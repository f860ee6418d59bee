// How fast a device with memory of its own gets weights and computes with them, found by giving it some.

import { Tensor, type Backend, type DeviceMemory, type WeightMemory } from '@airllm/backend';

export interface DeviceSpeed {
  /** From host memory to the device's. */
  readonly busBytesPerSecond: number;
  /** Of weights that lie there, in a product with one row. */
  readonly weightBytesPerSecond: number;
}

/** Enough that what it takes to start is little of it. */
const SAMPLE_BYTES = 32 * 2 ** 20;
const COLS = 2048;
const ROUNDS = 3;

/**
 * The best of a few rounds: the first ones also compile kernels and commit memory.
 *
 * @param options.roomBytes what may be held of the device for this
 * @returns undefined for a device that has no memory of its own, or no room for a sample
 */
export async function measureDevice(
  backend: Backend,
  { roomBytes }: { roomBytes: number },
): Promise<DeviceSpeed | undefined> {
  const { deviceMemory } = backend;
  const rowBytes = 2 * COLS;
  // Half of the room: outputs lie beside the weights.
  const rows = Math.floor(Math.min(SAMPLE_BYTES, roomBytes / 2) / rowBytes);
  if (!deviceMemory || rows < 1) return undefined;
  const host = backend.allocateWeights(rows * rowBytes);
  try {
    host.bytes.fill(0);
    const { copy, seconds } = await carry(deviceMemory, host);
    try {
      return {
        busBytesPerSecond: host.byteLength / seconds,
        weightBytesPerSecond: host.byteLength / (await multiply(backend, { memory: copy, rows })),
      };
    } finally {
      copy.dispose();
    }
  } finally {
    host.dispose();
  }
}

async function carry(
  device: DeviceMemory,
  host: WeightMemory,
): Promise<{ copy: WeightMemory; seconds: number }> {
  let best = Infinity;
  for (let round = 1; ; round++) {
    const started = performance.now();
    const copy = await device.pin(host);
    best = Math.min(best, (performance.now() - started) / 1000);
    if (round === ROUNDS) return { copy, seconds: best };
    copy.dispose();
  }
}

async function multiply(
  backend: Backend,
  { memory, rows }: { memory: WeightMemory; rows: number },
): Promise<number> {
  const arena = backend.createArena(COLS + rows);
  try {
    const storage = { elements: arena.elements, offset: 0 };
    const x = new Tensor(storage, 1, COLS, COLS, 0);
    const out = new Tensor(storage, 1, rows, rows, COLS);
    await arena.write(x, new Float32Array(COLS));
    const weight = { memory, byteOffset: 0, dtype: 'bf16', rows, cols: COLS } as const;
    const commands = [{ op: 'linear', x, weight, bias: undefined, normalizeRows: false, out } as const];
    let best = Infinity;
    for (let round = 0; round < ROUNDS; round++)
      best = Math.min(best, (await backend.submit({ commands, arena })).computeSeconds);
    return best;
  } finally {
    arena.dispose();
  }
}
