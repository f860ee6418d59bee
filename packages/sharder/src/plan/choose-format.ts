// Which tensors take the format, and which stay as they are. Matrices of layers do; what is small or sensitive does not.

import type { SourceDType } from '@airllm/quantizer';
import type { AssignedTensor } from './assign-tensors.js';
import type { ResolvedShardOptions, ShardFormat } from './shard-options.js';

/** Names that routers of mixtures have: Mixtral, Qwen, DeepSeek (`gate`), gpt-oss, Llama 4 (`router`). */
const ROUTER = /(?:^|\.)(?:gate|router|shared_expert_gate)\.weight$/;

/** Most bytes of one row in the formats whose chunks are rows: what is read at once. */
const MOST_ROW_BYTES = 4 * 2 ** 20;

/** The format a tensor is written in. */
export function chooseFormat(tensor: AssignedTensor, options: ResolvedShardOptions): ShardFormat {
  const { format, quantize, layout } = options;
  const { stored, role } = tensor;
  if (format === 'none' || role === 'rest' || !isSourceDType(stored.dtype)) return 'none';
  if (layout === 'airllm') return format;
  if (!tensor.isMatrix || stored.shape.length < 2 || !canHold(format, tensor)) return 'none';
  if (role === 'embedding') return quantize.includes('embedding') ? format : 'none';
  if (role === 'head') return format === 'lossless' || quantize.includes('head') ? format : 'none';
  if (ROUTER.test(stored.name)) return quantize.includes('routers') ? format : 'none';
  return format;
}

export function isSourceDType(dtype: string): dtype is SourceDType {
  return dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';
}

function canHold(format: Exclude<ShardFormat, 'none'>, { stored }: AssignedTensor): boolean {
  const cols = stored.shape.at(-1) ?? 0;
  const rows = stored.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  if (rows * cols === 0) return false;
  switch (format) {
    case '4bit':
    case '8bit':
      return true;
    case 'int8':
      return stored.byteLength / rows <= MOST_ROW_BYTES;
    case 'int4':
      return cols % 2 === 0 && stored.byteLength / rows <= MOST_ROW_BYTES;
    case 'lossless':
      return stored.dtype === 'BF16' && stored.byteLength / rows <= MOST_ROW_BYTES;
  }
}
