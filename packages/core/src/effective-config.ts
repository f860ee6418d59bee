// The config that a model is resolved from. ModelOpt writes the quantization of older checkpoints to a file of its own and
// leaves config.json as it was; unread, packed weights would only be seen by their shapes.

import type { Checkpoint } from '@airllm/checkpoint';

const QUANTIZATION_FILE = 'hf_quant_config.json';
const SECTIONS = ['quantization_config', 'compression_config'];

type Json = Readonly<Record<string, unknown>>;

/** config.json, with `quantization_config` from hf_quant_config.json where config.json has none. */
export async function effectiveConfig({
  config,
  readJson,
}: Pick<Checkpoint, 'config' | 'readJson'>): Promise<Json> {
  const sections = [config, asRecord(config['text_config'])];
  if (sections.some((fields) => SECTIONS.some((name) => name in fields))) return config;
  const quantization = asRecord(asRecord(await readJson(QUANTIZATION_FILE))['quantization']);
  // Null: only the cache is quantized, which is kept in float32 here.
  if ((quantization['quant_algo'] ?? null) === null) return config;
  return { ...config, quantization_config: { ...quantization, quant_method: 'modelopt' } };
}

function asRecord(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}
