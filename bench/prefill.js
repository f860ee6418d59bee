// A prompt is multiplied by every weight of the layers once per token, so the processor's multiply-adds are its limit.
// Weights are in memory. Beside both precisions, llama.cpp on the same weights where it is installed under bench/peers
// and `--gguf` names a file.

import { measureComputePeak } from '@airllm/cpu-backend';
import { openBenchCheckpoint } from './lib/bench-checkpoint.js';
import { promptIds } from './lib/decode-round.js';
import { openLlamaCpp } from './lib/llama-cpp.js';
import { openResidentModel } from './lib/open-model.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';
import { median } from './lib/statistics.js';

const PRECISIONS = ['exact', 'fast'];

await runProgram({
  about: 'Prefill with resident weights ÷ peak of multiply-adds',
  defaults: { preset: '2GB', prompt: 512, rounds: 3, gguf: 'none' },
  async measure({ preset, prompt, rounds, gguf }) {
    const checkpoint = await openBenchCheckpoint(preset);
    const peer = await openLlamaCpp(gguf, prompt + 64);
    const peerRates = [];
    const measured = new Map(PRECISIONS.map((precision) => [precision, []]));
    for (const precision of PRECISIONS) {
      const model = await openResidentModel(checkpoint, { precision });
      try {
        progress(model.device);
        await prefill(model, prompt);
        for (let round = 0; round < rounds; round++) {
          const { multiplyAddsPerSecond } = await measureComputePeak({ precision });
          const rate = await prefill(model, prompt);
          const limit = multiplyAddsPerSecond / (checkpoint.promptBytes / 2);
          measured.get(precision).push({ rate, limit, peak: multiplyAddsPerSecond });
          progress(
            `${precision}: ${rate.toFixed(1)} tokens/s, ${(multiplyAddsPerSecond / 1e9).toFixed(0)}·10⁹/s`,
          );
          if (peer) peerRates.push(await peer.prefill(prompt));
        }
      } finally {
        await model[Symbol.asyncDispose]();
      }
    }
    await peer?.close();
    return PRECISIONS.flatMap((precision) =>
      describe(
        `prefill of ${prompt} tokens, ${preset} bf16, ${precision}`,
        measured.get(precision),
        peerRates,
      ),
    );
  },
});

/** Tokens per second until the first new token is out. */
async function prefill(model, length) {
  const start = performance.now();
  const options = { maxNewTokens: 1, ignoreEos: true, temperature: 0 };
  for await (const event of model.stream({ inputIds: promptIds(length) }, options)) void event;
  return (length * 1000) / (performance.now() - start);
}

function describe(name, passes, peerRates) {
  const middle = (field) => median(passes.map((pass) => pass[field]));
  const figure = `${middle('rate').toFixed(1)} tokens/s`;
  const rows = [
    {
      name,
      figure,
      limit: `${middle('limit').toFixed(1)} tokens/s = ${(middle('peak') / 1e9).toFixed(0)}·10⁹ multiply-adds/s`,
      ratio: median(passes.map(({ rate, limit }) => rate / limit)),
    },
  ];
  if (peerRates.length === 0) return rows;
  const peerRate = median(peerRates);
  rows.push({
    name: `${name} ÷ llama.cpp`,
    figure,
    limit: `${peerRate.toFixed(1)} tokens/s of llama.cpp`,
    ratio: middle('rate') / peerRate,
    atLeast: name.endsWith('fast') ? 1 : 0.5,
  });
  return rows;
}
