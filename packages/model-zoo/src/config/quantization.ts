// Which quantized checkpoints are read as they are, and what their configs may say about it. What the bytes mean is for
// those who load weights; any other method is refused by name before a weight is looked for.

import { ModelError } from '../errors.js';
import { isRecord, type ConfigReader } from './config-reader.js';
import { describeValue } from './describe-value.js';
import { areFloat8Groups } from './float8-groups.js';

/** Where configs describe a quantization. */
const SECTIONS = ['quantization_config', 'compression_config', 'quantization_bit'];

export type QuantizationMethod =
  'fp8' | 'fbgemm_fp8' | 'compressed-tensors' | 'modelopt' | 'mxfp4' | 'bitsandbytes' | 'gptq' | 'awq';

/** The values that a field may have, or what tells them. */
type Allowed = readonly unknown[] | ((value: unknown) => boolean);

/** Fields that say how a checkpoint was made or is to be run elsewhere: any value. */
const ANY = undefined;

/** Modules whose weights are not quantized, and a cache in FP8, which is kept in float32 here. */
const KEPT_IN_FLOAT = { ignore: ANY, kv_cache_scheme: ANY };

/** What a section may say, and with which values. */
const FIELDS: Readonly<Record<QuantizationMethod, Readonly<Record<string, Allowed | undefined>>>> = {
  fp8: {
    fmt: ['e4m3'],
    weight_block_size: ['[128,128]'],
    // Activations stay float32 whatever the scheme: the weights' values are the same.
    activation_scheme: ANY,
    modules_to_not_convert: ANY,
  },
  // Meta's FP8: a scale per row.
  fbgemm_fp8: { activation_scale_ub: ANY, modules_to_not_convert: ANY },
  'compressed-tensors': {
    format: ['float-quantized'],
    config_groups: areFloat8Groups,
    sparsity_config: ['{}'],
    transform_config: ['{}'],
    ...KEPT_IN_FLOAT,
    global_compression_ratio: ANY,
    quantization_status: ANY,
    version: ANY,
  },
  modelopt: {
    quant_algo: ['FP8'],
    config_groups: areFloat8Groups,
    ...KEPT_IN_FLOAT,
    exclude_modules: ANY,
    kv_cache_quant_algo: ANY,
    producer: ANY,
  },
  mxfp4: { modules_to_not_convert: ANY, dequantize: [false] },
  bitsandbytes: {
    load_in_4bit: [true],
    load_in_8bit: [false],
    _load_in_4bit: [true],
    _load_in_8bit: [false],
    bnb_4bit_quant_type: ['nf4', 'fp4'],
    bnb_4bit_quant_storage: ['uint8'],
    bnb_4bit_use_double_quant: [true, false],
    bnb_4bit_compute_dtype: ANY,
    llm_int8_enable_fp32_cpu_offload: ANY,
    llm_int8_has_fp16_weight: ANY,
    llm_int8_skip_modules: ANY,
    llm_int8_threshold: ANY,
  },
  gptq: {
    bits: [4],
    checkpoint_format: ['gptq'],
    desc_act: [true, false],
    is_marlin_format: [false],
    lm_head: [false],
    dynamic: ['{}'],
    pack_dtype: ['int32'],
    sym: [true, false],
    group_size: ANY,
    backend: ANY,
    batch_size: ANY,
    block_name_to_quantize: ANY,
    cache_block_outputs: ANY,
    damp_percent: ANY,
    dataset: ANY,
    disable_exllama: ANY,
    exllama_config: ANY,
    max_input_length: ANY,
    meta: ANY,
    model_file_base_name: ANY,
    model_name_or_path: ANY,
    model_seqlen: ANY,
    module_name_preceding_first_block: ANY,
    modules_in_block_to_quantize: ANY,
    pad_token_id: ANY,
    static_groups: ANY,
    tokenizer: ANY,
    true_sequential: ANY,
    use_cuda_fp16: ANY,
    use_exllama: ANY,
  },
  awq: {
    bits: [4],
    version: ['gemm', 'GEMM'],
    zero_point: [true],
    group_size: ANY,
    backend: ANY,
    do_fuse: ANY,
    exllama_config: ANY,
    fuse_max_seq_len: ANY,
    modules_to_fuse: ANY,
    modules_to_not_convert: ANY,
  },
};

/** Fields without which a method is not known. */
const NEEDED: Readonly<Record<QuantizationMethod, readonly string[]>> = {
  fp8: [],
  fbgemm_fp8: [],
  'compressed-tensors': ['format', 'config_groups'],
  modelopt: ['quant_algo'],
  mxfp4: [],
  bitsandbytes: ['load_in_4bit'],
  gptq: ['bits'],
  awq: ['bits'],
};

/**
 * How the weights are quantized, or undefined.
 *
 * @throws ModelError `UNSUPPORTED_QUANTIZATION` for any other method, and for fields that would change the weights
 */
export function quantizationMethod(config: ConfigReader): QuantizationMethod | undefined {
  let found: QuantizationMethod | undefined;
  for (const name of SECTIONS) {
    const value = config.fields[name];
    if (!config.has(name) || value === 0) continue;
    const path = `${config.path}${name}`;
    const method = isRecord(value) ? methodOf(value) : value;
    if (!isRecord(value) || !isKnown(method)) throw unsupported(path, method);
    refuseOtherFields(value, method, path);
    found = method;
  }
  return found;
}

/** True where rows of GPTQ weights may be of any group. */
export function hasShuffledGroups(config: ConfigReader): boolean {
  const section = config.fields['quantization_config'];
  return isRecord(section) && section['desc_act'] === true;
}

/** ModelOpt leaves its name out of some configs. */
function methodOf(section: Readonly<Record<string, unknown>>): unknown {
  const isModelOpt = section['quant_algo'] !== undefined && !isKnown(section['quant_method']);
  return isModelOpt ? 'modelopt' : section['quant_method'];
}

function isKnown(method: unknown): method is QuantizationMethod {
  return typeof method === 'string' && Object.hasOwn(FIELDS, method);
}

function refuseOtherFields(
  section: Readonly<Record<string, unknown>>,
  method: QuantizationMethod,
  path: string,
): void {
  for (const name of NEEDED[method]) {
    if (section[name] === undefined) throw unsupported(`${path}.${name}`, undefined);
  }
  const fields = FIELDS[method];
  // What the method is comes before its details, so that a message names the format and not a part of it.
  const names = [...Object.keys(fields), ...Object.keys(section)];
  for (const name of new Set(names)) {
    const value = section[name];
    if (value === undefined || value === null || name === 'quant_method') continue;
    if (!Object.hasOwn(fields, name) || !isAllowed(fields[name], value)) {
      throw unsupported(`${path}.${name}`, value);
    }
  }
}

function isAllowed(allowed: Allowed | undefined, value: unknown): boolean {
  if (typeof allowed === 'function') return allowed(value);
  return allowed?.includes(typeof value === 'object' ? JSON.stringify(value) : value) ?? true;
}

function unsupported(field: string, found: unknown): ModelError {
  return new ModelError(
    'UNSUPPORTED_QUANTIZATION',
    `Expected unquantized weights, FP8 (e4m3, a scale per block of 128 × 128, row or tensor), MXFP4, bitsandbytes 4-bit, GPTQ 4-bit (format gptq) or AWQ 4-bit (gemm), but config field ${field} names ${describeValue(found)}. Use the checkpoint this one was quantized from`,
    { field, found: typeof found === 'object' ? describeValue(found) : found },
  );
}
