// The limits of an NVIDIA GPU, from a program of its own that nvcc compiles where it is: nothing of what is measured is in it.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('../gpu/device-limits.cu', import.meta.url));

/**
 * { copyBytesPerSecond (read + written), busBytesPerSecond (host to device, locked pages), cublas: { bf16, f32 } in floating-point
 * operations per second, or null where there is no cuBLAS } for a product of [rows, depth] and [columns, depth].
 *
 * @throws Error with the reason where nvcc is missing or the device does not work
 */
export function measureGpuLimits({ rows, depth, columns }) {
  const nvcc = [process.env.NVCC, 'nvcc', '/usr/local/cuda/bin/nvcc'].find(
    (path) => path && spawnSync(path, ['--version']).status === 0,
  );
  if (nvcc === undefined) throw new Error('Expected nvcc on the PATH, in NVCC or in /usr/local/cuda/bin');
  const folder = mkdtempSync(join(tmpdir(), 'airllm-gpu-'));
  try {
    const program = join(folder, 'device-limits');
    execFileSync(nvcc, ['-O2', '-arch=native', '-o', program, SOURCE, '-ldl'], { stdio: 'inherit' });
    const sizes = [rows, depth, columns].map(String);
    const output = execFileSync(program, sizes, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return JSON.parse(output);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
