// Configs of published models: those of the families here map to a definition, or are refused by the name of what
// is missing; no other kind of failure.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelError, resolveModel, supportedModels, type ModelDefinition } from '../src/index.js';

const shared =
  process.env['AIRLLM_SHARED_DATA'] ?? fileURLToPath(new URL('../../../../shared/data', import.meta.url));
const folder = join(shared, 'configs');

/** hidden size, layers, heads for keys, head size, vocabulary: as the models' cards state them. */
const STATED: Record<string, [number, number, number, number, number]> = {
  'meta-llama--Meta-Llama-3.1-405B_config.json': [16_384, 126, 8, 128, 128_256],
  'meta-llama--Meta-Llama-3.1-8B_config.json': [4096, 32, 8, 128, 128_256],
  'mistralai--Mixtral-8x7B-v0.1_config.json': [4096, 32, 8, 128, 32_000],
  'Qwen--Qwen3-0.6B_config.json': [1024, 28, 8, 128, 151_936],
  'Qwen2.5-3B.config.json': [2048, 36, 2, 128, 151_936],
  'chatglm3-6b.config.json': [4096, 28, 2, 128, 65_024],
};

/** Configs of quantized checkpoints, which a later release reads. */
const QUANTIZED = ['Qwen--Qwen3-32B-FP8_config.json', 'Qwen--Qwen3-32B-FP8-Static-PerTensor_config.json'];

const configs = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('config.json'))
      .map((path) => ({
        name: basename(path),
        config: parsePythonJson(readFileSync(join(folder, path), 'utf8')),
      }))
      .filter(({ config }) => 'model_type' in config)
  : [];
if (configs.length === 0) console.warn(`Skipped: published configs are not at ${folder}`);
const test = configs.length > 0 ? it : it.skip;

/** Python's json module writes Infinity, which JSON has not. */
function parsePythonJson(text: string): { architectures?: string[] } {
  return JSON.parse(text.replaceAll(/\bInfinity\b/g, '1e999'));
}

const outcome = (config: unknown): ModelDefinition | ModelError => {
  try {
    return resolveModel(config);
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
};

test('every config maps to a definition or is refused with a code', () => {
  const known = new Set(supportedModels().flatMap(({ architectures }) => architectures));
  const ours = configs.filter(({ config }) => known.has(config.architectures?.[0] ?? ''));
  const refused = ours.filter(({ config }) => outcome(config) instanceof ModelError).map(({ name }) => name);
  console.info(
    `published configs: ${configs.length}, of families here: ${ours.length}, refused: ${refused.join(', ')}`,
  );
  expect(refused.sort()).toEqual([...QUANTIZED].sort());
  for (const { config } of ours.filter(({ name }) => QUANTIZED.includes(name))) {
    expect(outcome(config)).toMatchObject({ code: 'UNSUPPORTED_QUANTIZATION' });
  }
  for (const { config } of configs.filter((entry) => !ours.includes(entry))) {
    expect(outcome(config)).toMatchObject({ code: 'UNSUPPORTED_ARCHITECTURE' });
  }
});

test.each(Object.entries(STATED))(
  '%s has the sizes that its card states',
  (name, [hiddenSize, layers, kvHeads, headDim, vocabSize]) => {
    const { sizes } = resolveModel(configs.find((entry) => entry.name === name)?.config);
    expect(sizes).toMatchObject({ hiddenSize, layers, vocabSize });
    expect(sizes.cache).toEqual(Array(layers).fill({ kind: 'attention', kvHeads, headDim, keysOnly: false }));
  },
);
