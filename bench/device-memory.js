// memory.device is a promise: what is held of a device with memory of its own, by the backend's figure and by the driver's where
// nvidia-smi tells it, while a model is loaded, a prompt is read and tokens are decoded. Needs such a device.

import { execFileSync } from 'node:child_process';
import { AutoModel } from '@airllm/core';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { promptIds } from './lib/decode-round.js';
import { runProgram } from './lib/program.js';

await runProgram({
  about: 'Device memory held at most ÷ memory.device',
  defaults: { preset: '2GB', device: 'webgpu', memory: '1GB', host: '8GB', prompt: 512, tokens: 16 },
  async measure({ preset, device, memory, host, prompt, tokens }) {
    const { folder } = await openBenchCheckpoint(preset);
    const before = driverBytes();
    const model = await AutoModel.fromPretrained(folder, { device, memory: { host, device: memory } });
    const peaks = { backend: 0, driver: 0 };
    const look = () => {
      peaks.backend = Math.max(peaks.backend, model.stats.deviceBytes);
      if (before !== undefined) peaks.driver = Math.max(peaks.driver, driverBytes() - before);
    };
    const options = { maxNewTokens: tokens, ignoreEos: true, temperature: 0, onStage: look };
    const { limitBytes, pinnedBytes } = model.plan.device;
    try {
      await model.generate({ inputIds: promptIds(prompt) }, options);
      look();
    } finally {
      await model[Symbol.asyncDispose]();
    }
    const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
    const row = (who, bytes) => ({
      name: `held by ${who}, ${megabytes(pinnedBytes)} of weights there, ${prompt} + ${tokens} tokens`,
      figure: megabytes(bytes),
      limit: `${megabytes(limitBytes)} (memory.device)`,
      ratio: bytes / limitBytes,
      atMost: 1,
    });
    const rows = [row("the backend's figure", peaks.backend)];
    return before === undefined ? rows : [...rows, row("the driver's figure", peaks.driver)];
  },
});

/** Bytes of the first NVIDIA GPU that are taken, by whomever; undefined where there is none. */
function driverBytes() {
  try {
    const query = ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--id=0'];
    return Number(execFileSync('nvidia-smi', query, { encoding: 'utf8', stdio: 'pipe' })) * 2 ** 20;
  } catch {
    return undefined;
  }
}
