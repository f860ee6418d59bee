// Prefill by llama.cpp, through node-llama-cpp where it is installed under bench/peers; it is no dependency.

import { availableParallelism } from 'node:os';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { promptIds } from './decode-round.js';
import { progress } from './progress.js';

const PEERS = new URL('../peers/', import.meta.url);

/** Resolves to { prefill, close }, or to undefined after saying why. `prefill` resolves to tokens per second. */
export async function openLlamaCpp(gguf, length) {
  if (gguf === 'none') return skip('no --gguf file with the same weights');
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
  const context = await model.createContext({ contextSize: length + 64, batchSize: length, threads });
  const sequence = context.getSequence();
  const prefill = async () => {
    await sequence.clearHistory();
    const start = performance.now();
    await sequence.evaluateWithoutGeneratingNewTokens(promptIds(length));
    return (length * 1000) / (performance.now() - start);
  };
  await prefill();
  return { prefill, close: () => llama.dispose() };
}

function skip(reason) {
  progress(`llama.cpp skipped: ${reason}`);
}
