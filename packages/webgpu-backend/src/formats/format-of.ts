// From a dtype to its format.

import type { DType } from '@airllm/backend';
import { code4Format, code8Format } from './code-format.js';
import { bf16Format, f16Format, f32Format, f8Format } from './element-formats.js';
import { q4Format, q4KFormat, q6KFormat, q8Format } from './gguf-formats.js';
import { awq4Format, gptq4Format } from './group-formats.js';
import { int4Format, int8Format, mxfp4Format } from './int-format.js';
import { losslessFormat } from './lossless-format.js';
import type { WeightFormat } from './weight-format.js';

export const FORMATS: Readonly<Record<DType, WeightFormat>> = {
  f32: f32Format,
  f16: f16Format,
  bf16: bf16Format,
  f8e4m3: f8Format,
  q8_0: q8Format,
  q4_0: q4Format,
  q4_k: q4KFormat,
  q6_k: q6KFormat,
  mxfp4: mxfp4Format,
  code4: code4Format,
  code8: code8Format,
  gptq4: gptq4Format,
  awq4: awq4Format,
  int8: int8Format,
  int4: int4Format,
  bf16z: losslessFormat,
};
