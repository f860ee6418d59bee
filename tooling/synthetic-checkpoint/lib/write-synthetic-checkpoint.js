// Checks the options, writes the shards one after the other, then the JSON files; config.json comes last and says that
// the rest is there.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeSafetensors } from 'safetensors-js';
import { createConfig, createGenerationConfig } from './config-json.js';
import { copyTokenizer } from './copy-tokenizer.js';
import { BYTES_PER_VALUE } from './encode-floats.js';
import { planShards } from './plan-shards.js';
import { expectPositiveInteger, resolveShape } from './resolve-shape.js';
import { listTensors } from './tensor-list.js';
import { createWeightSource } from './weight-source.js';

const DEFAULT_SHARD_BYTES = 1e9;

export async function writeSyntheticCheckpoint(folder, options) {
  const { dtype, seed, shardBytes = DEFAULT_SHARD_BYTES, tokenizerFrom } = options;
  const shape = resolveShape(options);
  if (!Object.hasOwn(BYTES_PER_VALUE, dtype)) {
    throw new RangeError(
      `Expected dtype to be ${Object.keys(BYTES_PER_VALUE).join(', ')} but received ${dtype}`,
    );
  }
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new RangeError(`Expected seed to be an unsigned 32-bit integer but received ${seed}`);
  }
  expectPositiveInteger('shardBytes', shardBytes);

  const tensors = listTensors(shape).map((tensor) => ({
    ...tensor,
    byteLength: tensor.shape.reduce((product, size) => product * size, BYTES_PER_VALUE[dtype]),
  }));
  const weightBytes = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const parameters = weightBytes / BYTES_PER_VALUE[dtype];
  const shards = planShards(tensors, shardBytes);

  await mkdir(folder, { recursive: true });
  await expectEmpty(folder);
  if (tokenizerFrom !== undefined) await copyTokenizer(tokenizerFrom, folder);
  const bytesOf = createWeightSource({ seed, dtype, parameters, embeddingScale: shape.embeddingScale });
  for (const shard of shards) {
    const toWrite = shard.tensors.map((tensor) => ({
      name: tensor.name,
      dtype: dtype.toUpperCase(),
      shape: tensor.shape,
      data: bytesOf(tensor),
    }));
    await writeSafetensors(join(folder, shard.file), toWrite, { metadata: { format: 'pt' } });
  }
  if (shards.length > 1)
    await writeJson(folder, 'model.safetensors.index.json', createIndex(shards, weightBytes));
  await writeJson(folder, 'generation_config.json', createGenerationConfig());
  await writeJson(folder, 'config.json', createConfig(shape, dtype));
  return {
    weightBytes,
    parameters,
    files: shards.map(({ file }) => file),
  };
}

async function expectEmpty(folder) {
  const [first] = await readdir(folder);
  if (first !== undefined) {
    throw new Error(
      `Expected ${folder} to be empty but found ${first}; name another folder or remove this one`,
    );
  }
}

function createIndex(shards, weightBytes) {
  const entries = shards.flatMap(({ file, tensors }) => tensors.map(({ name }) => [name, file]));
  return {
    metadata: { total_size: weightBytes },
    weight_map: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}

function writeJson(folder, file, value) {
  return writeFile(join(folder, file), `${JSON.stringify(value, null, 2)}\n`);
}
