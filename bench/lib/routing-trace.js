// Which expert tiles a run routes to, layer by layer: [{ pass, tiles }]. Observed where the runner announces them.

import { AutoModel } from '@airllm/core';
import { LayerStore } from '@airllm/layer-store';

/** Runs `prompts`, each in a run of its own, and resolves to { trace, tiles } with the number of expert tiles there are. */
export async function traceRouting(folder, { prompts, tokens, sampling, memory }) {
  const announce = LayerStore.prototype.expectExperts;
  const trace = [];
  let pass = 0;
  LayerStore.prototype.expectExperts = function (names) {
    const tiles = names.flatMap((name) => this.parts(name).map((part) => part.tile));
    trace.push({ pass, tiles: [...new Set(tiles)] });
    return announce.call(this, names);
  };
  try {
    const model = await AutoModel.fromPretrained(folder, { memory: { host: memory }, device: 'cpu' });
    try {
      for (const [seed, inputIds] of prompts.entries()) {
        const options = { maxNewTokens: tokens, ignoreEos: true, seed, ...sampling };
        const stream = model.stream({ inputIds }, options);
        for (;;) {
          pass += 1;
          if ((await stream.next()).done) break;
        }
      }
    } finally {
      await model[Symbol.asyncDispose]();
    }
  } finally {
    LayerStore.prototype.expectExperts = announce;
  }
  return { trace, tiles: new Set(trace.flatMap(({ tiles }) => tiles)).size };
}
