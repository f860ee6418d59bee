// Everything that an NVIDIA GPU has to show, in one run: the conformance suite, models end to end, and rates beside the limits of the
// device. Needs a build made where nvcc is, and nvcc for the program that measures the limits; no network. `--device rehearsal`
// runs it on the emulated device and the CPU: it checks this program, and its rates say nothing.

import { createCudaBackend, probeCuda } from '@airllm/cuda-backend';
import { createEmulatedBackend } from '@airllm/cuda-backend/emulated';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { conformanceRow, goldensRow } from './lib/gpu-conformance.js';
import { measureGpuLimits } from './lib/gpu-limits.js';
import { gemmRow, gemvRows } from './lib/gpu-linear.js';
import { streamingRow } from './lib/gpu-streaming.js';
import { runProgram } from './lib/program.js';
import { progress } from './lib/progress.js';

const PARTS = 'conformance,goldens,linear,streaming';
const FORMATS = 'bf16,code8,int8,q8_0,code4,int4,q4_0,bf16z,q4_k,q6_k,mxfp4,gptq4,awq4'.split(',');

const GPU = {
  models: 'cuda',
  open: (precision) => createCudaBackend({ precision }),
  limits: measureGpuLimits,
  gemv: { leastBytes: 1.2e9 },
  gemm: { rows: 2048, depth: 8192, columns: 8192 },
};
/** No device of its own for models; rates against one byte per second, since none is a GPU's. */
const REHEARSAL = {
  models: 'cpu',
  open: (precision) => createEmulatedBackend({ precision }),
  limits: () => ({ copyBytesPerSecond: 1, busBytesPerSecond: 1, cublas: { bf16: 1, f32: 1 } }),
  gemv: { leastBytes: 2e4, shapes: [[32, 256]] },
  gemm: { rows: 40, depth: 64, columns: 48 },
};

await runProgram({
  about: 'CUDA backend: conformance, models, and rates ÷ limits of the device',
  defaults: { device: 'cuda', parts: PARTS, preset: '2GB', tokens: 8, rounds: 3 },
  async measure({ device, parts, preset, tokens, rounds }) {
    const setup = device === 'rehearsal' ? REHEARSAL : GPU;
    if (setup === GPU && !(await announceGpu())) return [];
    const wanted = new Set(parts.split(','));
    const limits = wanted.has('linear') || wanted.has('streaming') ? setup.limits(setup.gemm) : undefined;
    const rows = [];
    const add = (...more) => {
      rows.push(...more);
      for (const { name, figure, limit } of more) progress(`${name}: ${figure} of ${limit}`);
    };
    if (wanted.has('conformance')) {
      for (const precision of ['exact', 'fast']) {
        add(
          await conformanceRow(`conformance, ${precision}`, { precision, open: () => setup.open(precision) }),
        );
      }
    }
    if (wanted.has('goldens')) add(await goldensRow({ device: setup.models, tokens: 24 }));
    if (wanted.has('linear')) add(...(await linearRows(setup, limits)));
    if (wanted.has('streaming')) {
      const checkpoint = await openBenchCheckpoint(preset);
      const { busBytesPerSecond } = limits;
      // From the disk, and from the host's memory; the CPU of a rehearsal has no memory of its own.
      for (const host of ['600MB', '4GB']) {
        const memory = setup === GPU ? { host, device: '300MB' } : { host };
        add(
          await streamingRow(checkpoint, { device: setup.models, memory, tokens, rounds, busBytesPerSecond }),
        );
      }
    }
    return rows;
  },
});

async function linearRows({ open, gemv, gemm }, { copyBytesPerSecond, cublas }) {
  const rows = [];
  for (const precision of ['exact', 'fast']) {
    const backend = await open(precision);
    try {
      if (precision === 'exact') {
        rows.push(...(await gemvRows(backend, { ...gemv, dtypes: FORMATS, copyBytesPerSecond })));
      }
      const name = `linear of ${gemm.rows} rows, bf16, ${precision}`;
      // Exact products are float32's, and cuBLAS's in float32 are their peer.
      const limit = precision === 'exact' ? cublas?.f32 : cublas?.bf16;
      rows.push(await gemmRow(name, backend, { ...gemm, dtype: 'bf16', limit }));
    } finally {
      await backend[Symbol.asyncDispose]();
    }
  }
  return rows;
}

/** Prints what the driver sees; false where there is no GPU. */
async function announceGpu() {
  const { available, reason, driverVersion, devices } = await probeCuda();
  if (!available) {
    console.warn(`SKIPPED: ${reason}`);
    return false;
  }
  for (const { name, computeCapability, totalBytes } of devices) {
    const memory = `${(totalBytes / 2 ** 30).toFixed(1)} GiB`;
    progress(`${name}, compute capability ${computeCapability}, ${memory}, driver for CUDA ${driverVersion}`);
  }
  return true;
}
