// Which quantized checkpoints are read as they are: FP8 weights with scales beside them. What their bytes mean is for
// those who load weights; any other method is refused by name before a weight is looked for.

import { ModelError } from '../errors.js';
import { isRecord, type ConfigReader } from './config-reader.js';
import { describeValue } from './describe-value.js';

/** Where configs describe a quantization. */
const SECTIONS = ['quantization_config', 'compression_config', 'quantization_bit'];

/**
 * What an FP8 section may say, and with which values; all values where there is no list. Activations stay float32
 * whatever the scheme: the weights' values are the same.
 */
const FP8_FIELDS: Readonly<Record<string, readonly unknown[] | undefined>> = {
  quant_method: ['fp8'],
  fmt: ['e4m3'],
  weight_block_size: ['[128,128]'],
  activation_scheme: undefined,
  modules_to_not_convert: undefined,
};

/** Throws `UNSUPPORTED_QUANTIZATION` unless weights are unquantized or FP8 (e4m3) per 128 × 128 block or per tensor. */
export function refuseQuantization(config: ConfigReader): void {
  for (const name of SECTIONS) {
    const value = config.fields[name];
    if (!config.has(name) || value === 0) continue;
    if (isRecord(value) && value['quant_method'] === 'fp8') refuseOtherFp8(value, `${config.path}${name}`);
    else {
      const method = isRecord(value) ? (value['quant_method'] ?? value['quant_algo']) : value;
      throw unsupported(`${config.path}${name}`, method);
    }
  }
}

function refuseOtherFp8(section: Readonly<Record<string, unknown>>, path: string): void {
  for (const [name, value] of Object.entries(section)) {
    if (value === null) continue;
    const found = Array.isArray(value) ? JSON.stringify(value) : value;
    const isKnown = Object.hasOwn(FP8_FIELDS, name);
    if (isKnown && (FP8_FIELDS[name]?.includes(found) ?? true)) continue;
    throw unsupported(`${path}.${name}`, value);
  }
}

function unsupported(field: string, found: unknown): ModelError {
  return new ModelError(
    'UNSUPPORTED_QUANTIZATION',
    `Expected unquantized weights or FP8 (e4m3, blocks of 128 × 128 or whole tensors) but config field ${field} names ${describeValue(found)}. Use the checkpoint this one was quantized from`,
    { field, found },
  );
}
