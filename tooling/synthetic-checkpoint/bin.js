#!/usr/bin/env node
// The command line: a preset, a folder, and what of the preset to change.

import { parseArgs } from 'node:util';
import { PRESETS, writeSyntheticCheckpoint } from './index.js';

const USAGE = `Writes a checkpoint with random weights.

  node tooling/synthetic-checkpoint/bin.js --preset 2GB --out DIR

  --preset NAME          ${Object.keys(PRESETS).join(', ')} (sizes in bf16)
  --out DIR              empty or absent folder
  --dtype DTYPE          bf16 (default), f16, f32
  --family FAMILY        llama or qwen3 in place of the preset's
  --layers N             in place of the preset's
  --vocab-size N         in place of the preset's
  --tied                 the output projection is the embedding matrix
  --shard-bytes N        default 1000000000
  --seed N               default 1
  --tokenizer-from DIR   copies the tokenizer files found there`;

const { values } = parseArgs({
  options: {
    preset: { type: 'string' },
    out: { type: 'string' },
    dtype: { type: 'string', default: 'bf16' },
    family: { type: 'string' },
    layers: { type: 'string' },
    'vocab-size': { type: 'string' },
    tied: { type: 'boolean', default: false },
    'shard-bytes': { type: 'string' },
    seed: { type: 'string', default: '1' },
    'tokenizer-from': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help || values.preset === undefined || values.out === undefined) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
if (!Object.hasOwn(PRESETS, values.preset)) {
  console.error(`Expected --preset to be ${Object.keys(PRESETS).join(', ')} but received ${values.preset}`);
  process.exit(2);
}

const preset = PRESETS[values.preset];
const number = (text) => (text === undefined ? undefined : Number(text));
const started = performance.now();
const { weightBytes, parameters, files } = await writeSyntheticCheckpoint(values.out, {
  ...preset,
  family: values.family ?? preset.family,
  layers: number(values.layers) ?? preset.layers,
  vocabSize: number(values['vocab-size']) ?? preset.vocabSize,
  tied: values.tied,
  dtype: values.dtype,
  seed: Number(values.seed),
  shardBytes: number(values['shard-bytes']),
  tokenizerFrom: values['tokenizer-from'],
});
const seconds = (performance.now() - started) / 1000;
const megabytes = weightBytes / 1e6;
console.log(
  `${values.out}: ${Math.round(parameters / 1e6)}M parameters, ${Math.round(megabytes)} MB in ${files.length} file(s), ` +
    `${seconds.toFixed(1)} s (${Math.round(megabytes / seconds)} MB/s)`,
);
