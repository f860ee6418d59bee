// What the formats of shards cost in perplexity: trained models as they are and as shards, each on a text in the words it
// knows. Small models lose more than large ones.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shardModel } from '@airllm/core';
import { demoModelFolder } from '@airllm/demo-model';
import { perplexityOf } from './lib/perplexity.js';
import { progress } from './lib/progress.js';
import { runProgram } from './lib/program.js';

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
  defaults: { model: '', text: '' },
  async measure({ model, text }) {
    const subjects =
      model === '' ? defaultSubjects() : [{ model, text: text === '' ? textAt('stories') : text }];
    const rows = [];
    for (const subject of subjects) rows.push(...(await compare(subject)));
    return rows;
  },
});

/** The embedded model, and stories260K in the dtypes it is published in where its files are there. */
function defaultSubjects() {
  const shared =
    process.env.AIRLLM_SHARED_DATA ?? fileURLToPath(new URL('../../shared/data', import.meta.url));
  const stories = ['f32', 'f16', 'bf16-3shards']
    .map((dtype) => join(shared, 'models', `stories260k-hf-${dtype}`))
    .filter((folder) => {
      const there = existsSync(folder);
      if (!there) progress(`skipped: ${folder} is not there (set AIRLLM_SHARED_DATA)`);
      return there;
    });
  return [
    { model: demoModelFolder, text: textAt('demo-model'), name: 'embedded' },
    ...stories.map((folder) => ({ model: folder, text: textAt('stories') })),
  ];
}

function textAt(name) {
  return fileURLToPath(new URL(`texts/${name}.txt`, import.meta.url));
}

async function compare({ model, text: path, name = basename(model) }) {
  const text = await readFile(path, 'utf8');
  const original = await perplexityOf(model, text);
  const baseFolder = await mkdtemp(join(tmpdir(), 'airllm-perplexity-'));
  try {
    const rows = [];
    for (const { atMost, ...options } of FORMATS) {
      if (options.format === 'lossless' && !(await isBf16(model))) continue;
      const { folder } = await shardModel(model, { ...options, baseFolder });
      const packed = await perplexityOf(folder, text);
      rows.push({
        name: `${name}, ${options.doubleQuantization ? `${options.format} nested` : options.format}`,
        figure: packed.perplexity.toFixed(4),
        limit: `original ${original.perplexity.toFixed(4)}, ${original.tokens} tokens`,
        ratio: packed.perplexity / original.perplexity,
        ...(atMost === undefined ? {} : { atMost }),
      });
    }
    return rows;
  } finally {
    await rm(baseFolder, { recursive: true });
  }
}

async function isBf16(folder) {
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  return (config.dtype ?? config.torch_dtype) === 'bfloat16';
}
