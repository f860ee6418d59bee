// llama.cpp in this process, through node-llama-cpp where it is installed under bench/peers; it is no dependency.

import { availableParallelism } from 'node:os';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promptIds } from './decode-round.js';
import { progress } from './progress.js';

const PEERS = new URL('../peers/', import.meta.url);

/**
 * Opens a GGUF file with all cores and all weights in memory. Resolves to { prefill, decode, close }, or to undefined
 * after saying why. `prefill` and `decode` take a number of tokens and resolve to tokens per second.
 */
export async function openLlamaCpp(gguf, contextSize) {
  if (gguf === 'none') return skip('no GGUF file with the same weights');
  let module;
  try {
    const entry = createRequire(new URL('package.json', PEERS)).resolve('node-llama-cpp');
    module = await import(pathToFileURL(entry).href);
  } catch (error) {
    return skip(error.message.split('\n')[0]);
  }
  const threads = availableParallelism();
  const llama = await module.getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: gguf });
  const options = { contextSize, batchSize: contextSize, threads: { ideal: threads, min: threads } };
  const sequence = (await model.createContext(options)).getSequence();
  return {
    async prefill(length) {
      await sequence.clearHistory();
      const start = performance.now();
      await sequence.evaluateWithoutGeneratingNewTokens(promptIds(length));
      return (length * 1000) / (performance.now() - start);
    },
    async decode(tokens) {
      await sequence.clearHistory();
      const stream = sequence.evaluate(promptIds(8), { temperature: 0, yieldEogToken: true });
      await stream.next();
      const start = performance.now();
      for (let count = 0; count < tokens; count++) await stream.next();
      return (tokens * 1000) / (performance.now() - start);
    },
    close: () => llama.dispose(),
  };
}

function skip(reason) {
  progress(`llama.cpp skipped: ${reason}`);
}
