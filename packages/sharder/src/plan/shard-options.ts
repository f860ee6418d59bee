// What a set of shards is made with. Everything here changes their bytes, so it is part of their folder's name and of the
// manifest.

import { FORMATS, type Format } from '@airllm/quantizer';
import { ShardError } from '../errors.js';

/** `none`: bytes as they are. */
export type ShardFormat = 'none' | Format;

/** Parts that stay unquantized unless named. */
export type QuantizedPart = 'embedding' | 'head' | 'routers';

/** `airllm`: the folder that the Python AirLLM reads; it quantizes every tensor of every layer. */
export type ShardLayout = 'native' | 'airllm';

export interface ShardOptions {
  /** Default `none`. */
  readonly format?: ShardFormat;
  /** `4bit` only: factors in 8 bits. Default false. */
  readonly doubleQuantization?: boolean;
  /** Default none: embeddings, heads and routers stay as they are (`lossless` packs an untied head). */
  readonly quantize?: readonly QuantizedPart[];
  /** Default `native`. */
  readonly layout?: ShardLayout;
  /** NaN and infinities in weights that are quantized. Default `refuse`. */
  readonly nonFinite?: 'refuse' | 'keep';
}

/** {@link ShardOptions} with nothing left open. */
export interface ResolvedShardOptions {
  readonly format: ShardFormat;
  readonly doubleQuantization: boolean;
  /** Sorted, each once. */
  readonly quantize: readonly QuantizedPart[];
  readonly layout: ShardLayout;
  readonly nonFinite: 'refuse' | 'keep';
}

export const SHARD_FORMATS: readonly ShardFormat[] = ['none', ...FORMATS];
export const QUANTIZED_PARTS: readonly QuantizedPart[] = ['embedding', 'head', 'routers'];
const AIRLLM_FORMATS: readonly ShardFormat[] = ['none', '4bit', '8bit'];

/** @throws ShardError `INVALID_OPTION` */
export function resolveShardOptions(options: ShardOptions = {}): ResolvedShardOptions {
  const { format = 'none', doubleQuantization = false, layout = 'native', nonFinite = 'refuse' } = options;
  if (!SHARD_FORMATS.includes(format)) throw invalid('format', SHARD_FORMATS.join(', '), format);
  if (doubleQuantization && format !== '4bit')
    throw invalid('doubleQuantization', 'false, or format 4bit,', true);
  const quantize = [...new Set(options.quantize ?? [])].sort();
  for (const part of quantize) {
    if (!QUANTIZED_PARTS.includes(part)) throw invalid('quantize', QUANTIZED_PARTS.join(', '), part);
  }
  if (quantize.length > 0 && (format === 'none' || layout === 'airllm'))
    throw invalid('quantize', 'a format, and the native layout,', `${format}, ${layout}`);
  if (layout === 'airllm' && !AIRLLM_FORMATS.includes(format))
    throw invalid('format', `${AIRLLM_FORMATS.join(', ')} in the layout of AirLLM`, format);
  return { format, doubleQuantization, quantize, layout, nonFinite };
}

/** The options as one word: `plain`, `4bit`, `4bit-dq`, `4bit+head`. */
export function variantName({ format, doubleQuantization, quantize }: ResolvedShardOptions): string {
  const base = format === 'none' ? 'plain' : format;
  return [doubleQuantization ? `${base}-dq` : base, ...quantize].join('+');
}

function invalid(option: string, expected: string, found: unknown): ShardError {
  return new ShardError(
    'INVALID_OPTION',
    `Expected ${expected} for ${option} but received ${JSON.stringify(found)}.`,
    { fields: { option, expected, found } },
  );
}
