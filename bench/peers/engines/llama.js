// node-llama-cpp, run as timed-run.js runs airllm: the same prompt ids, greedy, the clock from the first token on.
//
//   node engines/llama.js '{"gguf": …, "prompt": [ids], "tokens": 8, "threads": 2, "useMmap": true, "useMlock": false}'

import { getLlama, LlamaLogLevel } from 'node-llama-cpp';
import { readStorageBytes } from '../../lib/storage-bytes.js';

const { gguf, prompt, tokens, threads, useMmap, useMlock } = JSON.parse(process.argv[2] ?? '{}');
const llama = await getLlama({
  gpu: false,
  build: 'never',
  maxThreads: threads,
  logLevel: LlamaLogLevel.error,
});
const model = await llama.loadModel({ modelPath: gguf, useMmap, useMlock });
const context = await model.createContext({
  contextSize: 256,
  batchSize: 256,
  threads: { ideal: threads, min: threads },
});
const sequence = context.getSequence();

const marks = [];
for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
  marks.push({ at: performance.now(), storageBytes: await readStorageBytes(), token });
  if (marks.length > tokens) break;
}
const [first] = marks;
const last = marks.at(-1);
console.log(
  JSON.stringify({
    firstTokenSeconds: first.at / 1000,
    tokens: marks.length - 1,
    seconds: (last.at - first.at) / 1000,
    storageBytes: last.storageBytes - first.storageBytes,
    tokenIds: marks.map(({ token }) => token),
  }),
);
process.exit(0);
