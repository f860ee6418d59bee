// Configs of published models: each maps to a definition, whose weights can be listed, or is refused by the name of
// what is missing; no other kind of failure.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  listWeights,
  ModelError,
  resolveModel,
  supportedModels,
  type ModelDefinition,
} from '../src/index.js';

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

/** Parameters of the published safetensors files, as the hub counts them. */
const PARAMETERS: Record<string, number> = {
  'meta-llama--Meta-Llama-3.1-8B_config.json': 8_030_261_248,
  'meta-llama--Meta-Llama-3.1-70B_config.json': 70_553_706_496,
  'meta-llama--Meta-Llama-3.1-405B_config.json': 405_853_388_800,
  'mistralai--Mixtral-8x7B-v0.1_config.json': 46_702_792_704,
  'Qwen--Qwen3-8B_config.json': 8_190_735_360,
  'Qwen--Qwen3-32B_config.json': 32_762_123_264,
  'Qwen--Qwen3-30B-A3B_config.json': 30_532_122_624,
  'Qwen--Qwen3-235B-A22B_config.json': 235_093_634_560,
  'Qwen2.5-7B.config.json': 7_615_616_512,
};

interface Config {
  readonly architectures?: readonly string[];
  readonly text_config?: Config;
  readonly quantization_config?: { readonly quant_method?: string; readonly quant_algo?: string };
  readonly compression_config?: object;
}

const configs = existsSync(folder)
  ? readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('config.json'))
      .map((path) => ({
        name: basename(path),
        config: parsePythonJson(readFileSync(join(folder, path), 'utf8')),
      }))
      .filter(({ config }) => 'model_type' in config || 'architectures' in config)
  : [];
if (configs.length === 0) console.warn(`Skipped: published configs are not at ${folder}`);
const test = configs.length > 0 ? it : it.skip;

/** Python's json module writes Infinity, which JSON has not. */
function parsePythonJson(text: string): Config {
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

/** By a method other than FP8 and MXFP4. */
const isQuantized = ({ quantization_config, compression_config, text_config }: Config): boolean =>
  compression_config !== undefined ||
  (quantization_config !== undefined &&
    quantization_config.quant_algo !== 'FP8' &&
    !['fp8', 'mxfp4'].includes(quantization_config.quant_method ?? '')) ||
  (text_config !== undefined && isQuantized(text_config));

test('every config maps to a definition or is refused by name', () => {
  const known = new Set(supportedModels().flatMap(({ architectures }) => architectures));
  const results = configs.map(({ name, config }) => {
    const architecture = config.architectures?.[0] ?? 'no architecture';
    return { name, config, architecture, result: outcome(config) };
  });
  for (const { config, architecture, result } of results) {
    if (!known.has(architecture)) {
      expect(result).toMatchObject({ code: 'UNSUPPORTED_ARCHITECTURE' });
      expect(result).toMatchObject({ message: expect.stringContaining(architecture) });
    } else if (isQuantized(config)) {
      expect(result).toMatchObject({ code: 'UNSUPPORTED_QUANTIZATION' });
    } else {
      expect(result).not.toBeInstanceOf(ModelError);
    }
  }
  const rows = results.map(({ architecture, result }) => {
    if (result instanceof ModelError) return `${result.code} ${architecture}`;
    return `${result.family}, ${(parametersOf(result) / 1e9).toFixed(1)}e9 parameters`;
  });
  const counted = [...new Set(rows)]
    .sort()
    .map((row) => `${rows.filter((other) => other === row).length} x ${row}`);
  const mapped = results.filter(({ result }) => !(result instanceof ModelError)).length;
  console.info([`published configs: ${configs.length}, mapped: ${mapped}`, ...counted].join('\n  '));
});

test.each(Object.entries(PARAMETERS))('%s has the parameters of its published files', (name, count) => {
  expect(parametersOf(resolveModel(configs.find((entry) => entry.name === name)?.config))).toBe(count);
});

/** Elements of all weights that a definition names, each tensor or part of one counted once. */
function parametersOf(model: ModelDefinition): number {
  const { embedding, stages } = listWeights(model);
  const weights = [embedding, ...stages.flatMap((stage) => [stage.weights, ...(stage.experts ?? [])]).flat()];
  const shapes = new Map(weights.map((weight) => [weight.name, weight.shape]));
  return [...shapes.values()].reduce(
    (sum, shape) => sum + shape.reduce((product, length) => product * length, 1),
    0,
  );
}

test.each(Object.entries(STATED))(
  '%s has the sizes that its card states',
  (name, [hiddenSize, layers, kvHeads, headDim, vocabSize]) => {
    const { sizes } = resolveModel(configs.find((entry) => entry.name === name)?.config);
    expect(sizes).toMatchObject({ hiddenSize, layers, vocabSize });
    expect(sizes.cache).toEqual(Array(layers).fill({ kind: 'attention', kvHeads, headDim, keysOnly: false }));
  },
);
