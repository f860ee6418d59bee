// The numbers of ops, as native/program.cc knows them. A number is never given to another op.

import type { Activation, Command, DType, WeightSlice } from '@airllm/backend';

export const OPCODE = {
  embedding: 1,
  rmsNorm: 2,
  linear: 3,
  rope: 4,
  attention: 5,
  glu: 6,
  accumulate: 7,
  fill: 8,
  gatherRows: 9,
  scatterAddRows: 10,
  layerNorm: 11,
  linearTransposed: 12,
  latentAttention: 13,
  shortConv: 14,
  gatedDelta: 15,
  clampedGlu: 16,
  activate: 17,
  sigmoidGate: 18,
  softcap: 19,
  scale: 20,
  scaleRows: 21,
  ungroup: 22,
} as const satisfies Record<Command<WeightSlice>['op'], number>;

export const DTYPE = {
  f32: 0,
  f16: 1,
  bf16: 2,
  f8e4m3: 3,
  q8_0: 4,
  q4_0: 5,
  q4_k: 6,
  q6_k: 7,
  mxfp4: 8,
  code4: 9,
  gptq4: 10,
  awq4: 11,
  code8: 12,
  int8: 13,
  int4: 14,
  bf16z: 15,
} satisfies Record<DType, number>;

export const ACTIVATION = { silu: 0, gelu: 1, 'gelu-tanh': 2 } satisfies Record<Activation, number>;
