/** @jest-environment @airllm/jest-preset/swiftshader-environment */
// The example does what its README says, on both backends: nearest vectors by arithmetic that is shown, and the program as it is started.

import type { Backend } from '@airllm/backend';
import { createCpuBackend } from '@airllm/cpu-backend';
import { createWebGpuBackend, probeWebGpu } from '@airllm/webgpu-backend';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { VectorIndex } from '../src/vector-index.js';

const probe = await probeWebGpu();
if (!probe.available) console.warn(`vector search on webgpu skipped: ${probe.reason}`);

const backends: [string, () => Promise<Backend>][] = [['cpu', () => createCpuBackend()]];
if (probe.available) backends.push(['webgpu', () => createWebGpuBackend()]);

// Directions in a plane: along x, along y, and 3-4-5 between them.
const vectors = Float32Array.of(2, 0, 0, 7, 3, 4, -5, 0);

describe.each(backends)('on %s', (_, open) => {
  it('finds the nearest directions, whatever their lengths', async () => {
    await using backend = await open();
    using index = await VectorIndex.create(backend, vectors, 2);
    const matches = await index.search(Float32Array.of(30, 40), 3);
    expect(matches.map(({ row }) => row)).toEqual([2, 1, 0]);
    // (0.6, 0.8) times itself, times (0, 1), times (1, 0).
    [1, 0.8, 0.6].forEach((score, i) => expect(matches[i]?.score).toBeCloseTo(score, 6));
    const [opposite] = await index.search(Float32Array.of(-1, 0), 1);
    expect(opposite).toEqual({ row: 3, score: 1 });
  });

  it('refuses sizes that do not fit', async () => {
    await using backend = await open();
    await expect(VectorIndex.create(backend, vectors, 3)).rejects.toThrow(RangeError);
    using index = await VectorIndex.create(backend, vectors, 2);
    await expect(index.search(Float32Array.of(1, 2, 3), 1)).rejects.toThrow(/query of 2 numbers/);
  });
});

it('runs as a program', () => {
  const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const output = execFileSync(process.execPath, [program, 'cpu'], { encoding: 'utf8' });
  expect(output).toMatch(/^CPU.*\nvector 4711: 0\.\d+\n/i);
  expect(() => execFileSync(process.execPath, [program, 'tpu'], { stdio: 'pipe' })).toThrow(/cpu or webgpu/);
});
