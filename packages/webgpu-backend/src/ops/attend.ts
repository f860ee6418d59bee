// softmax(q·kᵀ) · v over a paged cache: a workgroup for each row and head walks the row's positions by tiles of 64, with a
// running maximum and sum (Milakov & Gimelshein 2018). Within a tile a thread has a score, then each has output columns.

import { KV_BLOCK_TOKENS, type Tensor, type WeightSlice } from '@airllm/backend';
import { floatBits, foldGroups, tensorWords } from '../dispatch/dispatch.js';
import { kernelOf } from '../dispatch/kernel.js';
import type { OpContext } from '../dispatch/op-context.js';
import { VECTOR, vectorBuffers, vectorCode, vectorOperands, vectorWords } from '../formats/vector-operand.js';

const LANES = 64;

export interface Attend {
  /** Where q and out lie: the arena, or memory of an op. */
  readonly io: GPUBuffer;
  /** [T, heads · headDim]. */
  readonly q: Tensor;
  /** [T, heads · valueDim]. */
  readonly out: Tensor;
  readonly keys: GPUBuffer;
  /** Undefined where values are the first columns of keys. */
  readonly values: GPUBuffer | undefined;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly scale: number;
  readonly window?: number | undefined;
  readonly chunk?: number | undefined;
  readonly softcap?: number | undefined;
  readonly sinks?: WeightSlice | undefined;
  readonly alibiSlopes?: readonly number[] | undefined;
  /** Of {@link rowTables}. */
  readonly tables: readonly number[];
}

/** Emits the kernel; the cache holds this pass's tokens already. */
export function attend(context: OpContext, op: Attend): void {
  const { io, q, out, keys, values, heads, kvHeads, headDim, valueDim, tables, sinks, alibiSlopes } = op;
  // Output columns for each thread: kernels for some numbers serve all head sizes.
  const columns = 2 ** Math.ceil(Math.log2(Math.max(1, valueDim / LANES)));
  const shared = headDim <= 256 ? 256 : 2 ** Math.ceil(Math.log2(headDim));
  const vectors = headDim % 4 === 0;
  const kernel = kernelOf(
    `attend-${columns}-${shared}${vectors ? '-vectors' : ''}${values ? '' : '-latent'}`,
    () => ({
      params:
        'q: Tensor, out: Tensor, heads: u32, group: u32, kv_heads: u32, head_dim: u32, value_dim: u32, scale: f32, window: u32, chunk: u32, softcap: f32, alibi: u32, sinks: Vector',
      buffers: [
        { name: 'io', access: 'read_write', type: 'floats' },
        { name: 'keys', access: 'read', type: vectors ? 'vectors' : 'floats' },
        ...(values ? [{ name: 'values', access: 'read', type: 'floats' } as const] : []),
        ...vectorBuffers('sinks'),
      ],
      code: attendCode({ columns, shared, vectors, latent: !values }),
    }),
  );
  const slopes = alibiSlopes ? Array.from(alibiSlopes, floatBits) : [];
  context.emit({
    kernel,
    operands: [io, keys, ...(values ? [values] : []), ...vectorOperands(sinks)],
    words: [
      ...tensorWords(q),
      ...tensorWords(out),
      heads,
      heads / kvHeads,
      kvHeads,
      headDim,
      valueDim,
      floatBits(op.scale),
      Math.min(op.window ?? UNBOUNDED, UNBOUNDED),
      Math.min(op.chunk ?? UNBOUNDED, UNBOUNDED),
      floatBits(op.softcap ?? 0),
      alibiSlopes ? tables.length : 0,
      ...vectorWords(sinks),
    ],
    list: [...tables, ...slopes],
    groups: foldGroups(q.rows * heads),
  });
}

/** Longer than any sequence. */
const UNBOUNDED = 2 ** 30;

function attendCode(cut: { columns: number; shared: number; vectors: boolean; latent: boolean }): string {
  const { columns, shared, vectors, latent } = cut;
  const each = (make: (i: number) => string): string =>
    Array.from({ length: columns }, (_, i) => make(i)).join('\n');
  const value = (at: string): string =>
    !latent ? `values[${at}]` : vectors ? `keys[(${at}) >> 2u][(${at}) & 3u]` : `keys[${at}]`;
  const dot = vectors
    ? `var sums = vec4f(0.0);
      for (var d = 0u; d < params.head_dim / 4u; d++) { sums = fma(query[d], keys[key / 4u + d], sums); }
      var score = (sums.x + sums.y) + (sums.z + sums.w);`
    : `var score = 0.0;
      for (var d = 0u; d < params.head_dim; d++) { score = fma(query[d >> 2u][d & 3u], keys[key + d], score); }`;
  return `${VECTOR}${vectorCode('sinks')}
var<workgroup> query: array<vec4f, ${shared / 4}>;
var<workgroup> scores: array<f32, ${LANES}>;
var<workgroup> places: array<u32, ${LANES}>;
fn capped(score: f32, cap: f32) -> f32 {
  let e = exp(-2.0 * min(abs(score / cap), 15.0));
  return sign(score) * cap * (1.0 - e) / (1.0 + e);
}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) n: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = id.y * n.x + id.x;
  if (number >= params.q.rows * params.heads) { return; }
  let row = number / params.heads;
  let head = number % params.heads;
  let position = params.list[2u * row];
  let table = params.list[2u * row + 1u];
  let width = params.head_dim;
  for (var d = lane; d < width; d += ${LANES}u) {
    query[d >> 2u][d & 3u] = params.scale * io[place(params.q, row, head * width + d)];
  }
  let kv_head = head / params.group;
  var largest = -3e38;
  var total = 0.0;
  if (params.sinks.dtype != 0u) {
    largest = sinks_value(params.sinks, 0u, head);
    total = 1.0;
  }
  var slope = 0.0;
  if (params.alibi != 0u) { slope = bitcast<f32>(params.list[params.alibi + head]); }
  ${each((c) => `var sum_${c} = 0.0;`)}
  let windowed = select(0u, position + 1u - params.window, position + 1u > params.window);
  let first = max(windowed, position / params.chunk * params.chunk);
  workgroupBarrier();
  for (var start = first; start <= position; start += ${LANES}u) {
    let count = min(${LANES}u, position + 1u - start);
    if (lane < count) {
      let token = start + lane;
      let block = params.list[table + token / ${KV_BLOCK_TOKENS}u];
      let slot = (block * params.kv_heads + kv_head) * ${KV_BLOCK_TOKENS}u + token % ${KV_BLOCK_TOKENS}u;
      let key = slot * width;
      ${dot}
      if (params.softcap > 0.0) { score = capped(score, params.softcap); }
      scores[lane] = score - slope * f32(position - token);
      places[lane] = slot * ${latent ? 'width' : 'params.value_dim'};
    }
    workgroupBarrier();
    var highest = largest;
    for (var j = 0u; j < count; j++) { highest = max(highest, scores[j]); }
    workgroupBarrier();
    if (lane < count) { scores[lane] = exp(max(scores[lane] - highest, -100.0)); }
    let correction = exp(max(largest - highest, -100.0));
    largest = highest;
    total *= correction;
    ${each((c) => `sum_${c} *= correction;`)}
    workgroupBarrier();
    for (var j = 0u; j < count; j++) {
      let weight = scores[j];
      let at = places[j];
      total += weight;
      ${each((c) => `if (lane + ${c * LANES}u < params.value_dim) { sum_${c} = fma(weight, ${value(`at + lane + ${c * LANES}u`)}, sum_${c}); }`)}
    }
    workgroupBarrier();
  }
  ${each((c) => `if (lane + ${c * LANES}u < params.value_dim) { io[place(params.out, row, head * params.value_dim + lane + ${c * LANES}u)] = sum_${c} / total; }`)}
}`;
}
