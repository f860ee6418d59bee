// What the formats of shards cost in perplexity: a trained model as it is and as shards, on a text. Small models
// lose more than large ones.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shardModel } from '@airllm/core';
import { demoModelFolder } from '@airllm/demo-model';
import { perplexityOf } from './lib/perplexity.js';
import { runProgram } from './lib/program.js';

/** In the words and turns that the embedded model was trained on. */
const TEXT =
  'Once upon a time, there lived a brave boy named Tom. He lived in a tall castle. Tom was tired and wanted to sleep. ' +
  'But all night there was a noise: creak, creak, creak. He put a pillow on his head, but he still heard it. ' +
  'Once upon a time, there was a boy named Ben. Ben was very cheerful and lived in a big city. Ben wanted to have a ' +
  'friend. But he was too shy to speak to anyone. The capital of France is Paris.';

const FORMATS = [
  { format: 'lossless', atMost: 1 },
  { format: '8bit', atMost: 1.005 },
  { format: 'int8', atMost: 1.005 },
  { format: '4bit' },
  { format: '4bit', doubleQuantization: true },
  { format: 'int4' },
];

await runProgram({
  about: 'Perplexity as shards ÷ perplexity of the original',
  defaults: { model: demoModelFolder, text: '' },
  async measure({ model, text: path }) {
    const text = path === '' ? TEXT : await readFile(path, 'utf8');
    const original = await perplexityOf(model, text);
    const baseFolder = await mkdtemp(join(tmpdir(), 'airllm-perplexity-'));
    try {
      const rows = [];
      for (const { atMost, ...options } of FORMATS) {
        if (options.format === 'lossless' && !(await isBf16(model))) continue;
        const { folder } = await shardModel(model, { ...options, baseFolder });
        const packed = await perplexityOf(folder, text);
        rows.push({
          name: options.doubleQuantization ? `${options.format}, nested` : options.format,
          figure: packed.toFixed(4),
          limit: `original ${original.toFixed(4)}`,
          ratio: packed / original,
          ...(atMost === undefined ? {} : { atMost }),
        });
      }
      return rows;
    } finally {
      await rm(baseFolder, { recursive: true });
    }
  },
});

async function isBf16(folder) {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  return (config.dtype ?? config.torch_dtype) === 'bfloat16';
}
