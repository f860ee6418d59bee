// The gated delta rule, row after row: a workgroup for each sequence, head and 64 columns of its state; a thread has a
// column. Queries and keys of a row are shared, and divided by their lengths.

import { tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { VECTOR, vectorBuffers, vectorCode, vectorOperands, vectorWords } from '../formats/vector-operand.js';
import { ACTIVATIONS } from './activations.js';
import { sequenceMemory } from './sequence-memory.js';
import { sequenceList } from './sequence-list.js';

const LANES = 64;

/** q, k [T, keyHeads · keyDim], v, out [T, valueHeads · valueDim], a, b [T, valueHeads]. */
export function gatedDelta(context: OpContext, command: CommandOf<'gatedDelta'>): void {
  const { q, k, v, a, b, aLog, dtBias, out, keyHeads, valueHeads, keyDim, valueDim } = command;
  const { batch, layer } = sequenceMemory(context, command.layer);
  const kernel = kernelOf(`gated-delta-${keyDim}`, () => ({
    params:
      'q: Tensor, k: Tensor, v: Tensor, a: Tensor, b: Tensor, out: Tensor, a_log: Vector, dt_bias: Vector, group: u32, value_heads: u32, value_dim: u32',
    buffers: [
      ARENA,
      { name: 'states', access: 'read_write', type: 'floats' },
      ...vectorBuffers('a_log'),
      ...vectorBuffers('dt_bias'),
    ],
    code: gatedDeltaCode(keyDim),
  }));
  const chunks = Math.ceil(valueDim / LANES);
  context.emit({
    kernel,
    operands: [context.arena, layer.second, ...vectorOperands(aLog), ...vectorOperands(dtBias)],
    words: [
      ...[q, k, v, a, b, out].flatMap(tensorWords),
      ...vectorWords(aLog),
      ...vectorWords(dtBias),
      valueHeads / keyHeads,
      valueHeads,
      valueDim,
    ],
    list: sequenceList(batch),
    groups: [valueHeads * chunks, batch.sequences.length],
  });
}

function gatedDeltaCode(keyDim: number): string {
  return `${VECTOR}${vectorCode('a_log')}${vectorCode('dt_bias')}${ACTIVATIONS}
const KEY_DIM = ${keyDim}u;
var<workgroup> query: array<f32, KEY_DIM>;
var<workgroup> key: array<f32, KEY_DIM>;
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let chunks = (params.value_dim + ${LANES - 1}u) / ${LANES}u;
  let head = id.x / chunks;
  let d = id.x % chunks * ${LANES}u + lane;
  let row_start = params.list[4u * id.y];
  let row_count = params.list[4u * id.y + 1u];
  let past = params.list[4u * id.y + 2u];
  let slot = params.list[4u * id.y + 3u];
  let key_start = head / params.group * KEY_DIM;
  let state = (slot * params.value_heads + head) * KEY_DIM * params.value_dim + d;
  let growth = exp(clamp(a_log_value(params.a_log, 0u, head), -80.0, 80.0));
  let bias = dt_bias_value(params.dt_bias, 0u, head);
  for (var t = 0u; t < row_count; t++) {
    let row = row_start + t;
    for (var i = lane; i < KEY_DIM; i += ${LANES}u) {
      query[i] = arena[place(params.q, row, key_start + i)];
      key[i] = arena[place(params.k, row, key_start + i)];
    }
    workgroupBarrier();
    if (d < params.value_dim) {
      var query_squares = 1e-6;
      var key_squares = 1e-6;
      for (var i = 0u; i < KEY_DIM; i++) {
        query_squares = fma(query[i], query[i], query_squares);
        key_squares = fma(key[i], key[i], key_squares);
      }
      let query_scale = 1.0 / sqrt(query_squares);
      let key_scale = 1.0 / sqrt(key_squares);
      let decay = safe_exp(-growth * softplus(arena[place(params.a, row, head)] + bias));
      let rate = sigmoid(arena[place(params.b, row, head)]);
      // A sequence that begins finds zeros, whatever its slot holds.
      let fresh = past == 0u && t == 0u;
      var predicted = 0.0;
      for (var i = 0u; i < KEY_DIM; i++) {
        var decayed = 0.0;
        if (!fresh) { decayed = decay * states[state + i * params.value_dim]; }
        states[state + i * params.value_dim] = decayed;
        predicted = fma(key[i] * key_scale, decayed, predicted);
      }
      let change = rate * (arena[place(params.v, row, head * params.value_dim + d)] - predicted);
      var sum = 0.0;
      for (var i = 0u; i < KEY_DIM; i++) {
        let value = fma(key[i] * key_scale, change, states[state + i * params.value_dim]);
        states[state + i * params.value_dim] = value;
        sum = fma(query[i] * query_scale, value, sum);
      }
      arena[place(params.out, row, head * params.value_dim + d)] = sum / sqrt(f32(KEY_DIM));
    }
    workgroupBarrier();
  }
}`;
}
