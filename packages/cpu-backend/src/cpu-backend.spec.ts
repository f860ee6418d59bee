// What the conformance suite cannot ask of every backend: threads, native memory, order while busy, and the ends of
// processes and workers with work in flight.

import {
  Recorder,
  type Arena,
  type Backend,
  type Command,
  type Tensor,
  type WeightSlice,
} from '@airllm/backend';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadBinding } from './binding.js';
import { createCpuBackend } from './index.js';

const SIZE = 1024;
const MIB = 2 ** 20;

interface Work {
  arena: Arena;
  x: Tensor;
  out: Tensor;
  commands: Command<WeightSlice>[];
  memory: WeightSlice['memory'];
}

/** `repeats` products of one row with a matrix of ones, f32 SIZE × SIZE: 4 MiB read each. */
async function productWork(backend: Backend, repeats: number): Promise<Work> {
  const memory = backend.allocateWeights(SIZE * SIZE * 4);
  new Float32Array(memory.bytes.buffer).fill(1);
  const recorder = new Recorder();
  const x = recorder.input(1, SIZE);
  const out = recorder.output(recorder.linear(x, { name: 'ones', shape: [SIZE, SIZE] }));
  const { arenaElements } = recorder.finish();
  const arena = backend.createArena(arenaElements);
  await arena.write(x, new Float32Array(SIZE).fill(0.5));
  const weight: WeightSlice = { memory, byteOffset: 0, dtype: 'f32', rows: SIZE, cols: SIZE };
  const command: Command<WeightSlice> = {
    op: 'linear',
    x,
    weight,
    bias: undefined,
    normalizeRows: false,
    out,
  };
  return { arena, x, out, memory, commands: Array.from({ length: repeats }, () => command) };
}

async function runNode(script: string): Promise<string> {
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
  });
  return stdout;
}

describe('a CPU backend', () => {
  it('refuses threads and instruction sets it cannot have', async () => {
    await expect(createCpuBackend({ threads: 0 })).rejects.toMatchObject({ code: 'INVALID_OPERAND' });
    const absent = process.arch === 'arm64' ? 'avx2' : 'neon';
    await expect(createCpuBackend({ instructionSet: absent })).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
    });
  });

  it('says what it runs on', async () => {
    await using backend = await createCpuBackend({ threads: 1, instructionSet: 'scalar' });
    expect(backend.description).toBe('CPU, scalar, 1 thread');
  });

  it('gives the same bits with any number of threads', async () => {
    const results: Float32Array[] = [];
    for (const threads of [1, 2, 7]) {
      await using backend = await createCpuBackend({ threads });
      const { arena, x, out, commands, memory } = await productWork(backend, 1);
      await arena.write(
        x,
        Float32Array.from({ length: SIZE }, (_, i) => Math.sin(i)),
      );
      await backend.submit({ commands, arena });
      results.push(await arena.read(out));
      arena.dispose();
      memory.dispose();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  it('orders writes and reads among submissions that are not awaited', async () => {
    await using backend = await createCpuBackend();
    const { arena, x, out, commands, memory } = await productWork(backend, 20);
    const reads: Promise<Float32Array>[] = [];
    const settled: Promise<unknown>[] = [];
    for (const value of [1, 2, 3, 4]) {
      settled.push(arena.write(x, new Float32Array(SIZE).fill(value)));
      settled.push(backend.submit({ commands, arena }));
      reads.push(arena.read(out));
    }
    // Σₖ value · 1 over SIZE terms, exact in float32.
    expect((await Promise.all(reads)).map((read) => read[SIZE - 1])).toEqual(
      [1, 2, 3, 4].map((v) => v * SIZE),
    );
    await Promise.all(settled);
    arena.dispose();
    memory.dispose();
  });

  it('leaves the event loop free while it computes', async () => {
    await using backend = await createCpuBackend();
    const { arena, commands, memory } = await productWork(backend, 200);
    let ticks = 0;
    let done = false;
    const running = backend.submit({ commands, arena }).finally(() => (done = true));
    while (!done) {
      await new Promise((resolve) => setImmediate(resolve));
      ticks++;
    }
    expect((await running).computeSeconds).toBeGreaterThan(0);
    // A submission on this thread would let the loop turn once.
    expect(ticks).toBeGreaterThan(10);
    arena.dispose();
    memory.dispose();
  });

  it('survives memory disposed under a submission in flight, and refuses it afterwards', async () => {
    await using backend = await createCpuBackend();
    const { arena, commands, memory } = await productWork(backend, 50);
    const running = backend.submit({ commands, arena });
    memory.dispose();
    expect(memory.bytes).toHaveLength(0);
    arena.dispose();
    await expect(running).resolves.toHaveProperty('computeSeconds');
    await expect(backend.submit({ commands, arena })).rejects.toMatchObject({ code: 'INVALID_OPERAND' });
  });

  it('refuses work and memory once closed', async () => {
    const backend = await createCpuBackend();
    const { arena, commands, memory, x } = await productWork(backend, 1);
    await backend[Symbol.asyncDispose]();
    await expect(backend.submit({ commands, arena })).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
    await expect(arena.read(x)).rejects.toMatchObject({ code: 'BACKEND_CLOSED' });
    expect(() => backend.createArena(1)).toThrow(expect.objectContaining({ code: 'BACKEND_CLOSED' }));
    arena.dispose();
    memory.dispose();
    expect(memory.bytes).toHaveLength(0);
  });

  it('refuses reservations beyond any machine', async () => {
    await using backend = await createCpuBackend();
    expect(() => backend.createArena(2 ** 50)).toThrow(expect.objectContaining({ code: 'OUT_OF_MEMORY' }));
    expect(() => backend.allocateWeights(Number.MAX_SAFE_INTEGER)).toThrow(
      expect.objectContaining({ code: 'OUT_OF_MEMORY' }),
    );
    expect(() => backend.allocateWeights(-1)).toThrow(expect.objectContaining({ code: 'INVALID_OPERAND' }));
  });

  it('commits weight memory when it is written and returns it when it is disposed', async () => {
    if (process.platform !== 'linux')
      return console.warn('resident memory not checked: only Linux reports it');
    await using backend = await createCpuBackend();
    const before = residentBytes();
    const memory = backend.allocateWeights(256 * MIB);
    expect(residentBytes() - before).toBeLessThan(32 * MIB);
    memory.bytes.fill(1);
    expect(residentBytes() - before).toBeGreaterThan(240 * MIB);
    memory.dispose();
    expect(residentBytes() - before).toBeLessThan(32 * MIB);
  });

  it('commits no more than was asked for, also where the end of a block fills no huge page', async () => {
    if (process.platform !== 'linux')
      return console.warn('resident memory not checked: only Linux reports it');
    await using backend = await createCpuBackend();
    // 16 blocks of 4 MiB and a page: 64 MiB, and not 16 · 6 MiB. What they took is what disposing them gives back; what else the
    // process holds may be collected while they are written.
    const blocks = Array.from({ length: 16 }, () => backend.allocateWeights(4 * MIB + 4096));
    for (const { bytes } of blocks) bytes.fill(1);
    const held = residentBytes();
    for (const block of blocks) block.dispose();
    const committed = held - residentBytes();
    expect(committed).toBeGreaterThan(60 * MIB);
    expect(committed).toBeLessThan(76 * MIB);
  });

  it('refuses words that are no submission', () => {
    const { Engine } = loadBinding();
    const engine = new Engine('scalar', 1, false);
    expect(() => engine.submit(Float64Array.of(1, 2, 3))).toThrow(
      expect.objectContaining({ code: 'INVALID_OPERAND' }),
    );
    expect(() => engine.submit(new Float32Array(4) as never)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPERAND' }),
    );
    engine.close();
  });
});

describe('ends with work in flight', () => {
  /** Starts about a second of work in a process or worker of its own. */
  const busy = `
    import { createCpuBackend } from './dist/index.js';
    const backend = await createCpuBackend();
    const memory = backend.allocateWeights(${64 * MIB});
    const arena = backend.createArena(16384);
    const tensor = (offset, cols) => ({ storage: { offset, elements: cols }, offset, rows: 1, cols, rowStride: cols });
    const weight = { memory, byteOffset: 0, dtype: 'f32', rows: 4096, cols: 4096 };
    const command = { op: 'linear', x: tensor(0, 4096), weight, bias: undefined, normalizeRows: false, out: tensor(4096, 4096) };
    const running = backend.submit({ arena, commands: Array.from({ length: 2000 }, () => command) });
  `;

  it('process.exit', async () => {
    expect(await runNode(`${busy} console.log('busy'); process.exit(0);`)).toBe('busy\n');
  });

  it('a process that never closes its backend', async () => {
    const script = `${busy.replace('2000', '2')} await running; console.log('done');`;
    expect(await runNode(script)).toBe('done\n');
  });

  it('a terminated worker, beside one that goes on', async () => {
    const worker = `data:text/javascript,${encodeURIComponent(
      `${busy} (await import('node:worker_threads')).parentPort.postMessage('busy');`.replace(
        './dist/index.js',
        new URL('../dist/index.js', import.meta.url).href,
      ),
    )}`;
    const script = `
      import { Worker } from 'node:worker_threads';
      import { createCpuBackend } from './dist/index.js';
      await besideWorker();
      async function besideWorker() {
        const backend = await createCpuBackend();
        const worker = new Worker(new URL(${JSON.stringify(worker)}));
        await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
        await worker.terminate();
        const arena = backend.createArena(16);
        const x = { storage: { offset: 0, elements: 16 }, offset: 0, rows: 1, cols: 16, rowStride: 16 };
        await backend.submit({ arena, commands: [{ op: 'fill', x, value: 3 }] });
        console.log((await arena.read(x))[15]);
        await backend[Symbol.asyncDispose]();
      }
    `;
    expect(await runNode(script)).toBe('3\n');
  });
});

function residentBytes(): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
