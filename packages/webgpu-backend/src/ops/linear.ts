// out[t, n] = Σₖ x[t, k] · weight[n, k] (+ bias[n]), for one row and for many with one text.
//
//   Every sum has 16 chains: chain p multiplies and adds octets of columns p, p + 16, …, k ascending, and the chains are
//   added in their order. So the bits do not depend on how many rows a kernel takes.
//   A workgroup has 16 rows of the weight, or twice as many; 16 threads, a chain each, read 16 octets side by side. x goes
//   by in tiles of workgroup memory, the rows of the pass side by side in vectors.

import { tensorWords } from '../dispatch/dispatch.js';
import { ARENA, kernelOf } from '../dispatch/kernel.js';
import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { rowBlocks } from '../formats/row-blocks.js';
import { weightOperand, type WeightText } from '../formats/weight-operand.js';
import { addBias } from './add-bias.js';

const CHAINS = 16;
const THREADS = 256;
/** Rows of the weight that a workgroup takes at once. */
const OUTPUTS = THREADS / CHAINS;

/** How a kernel is cut for a number of rows of x. */
interface Shape {
  /** Rows of x: 1 as scalars, or a multiple of 4 as vectors. */
  readonly rows: number;
  /** Rows of the weight for each thread. */
  readonly perThread: number;
  /** Octets of columns in a tile of x: workgroup memory stays below the 16 KiB that every adapter has. */
  readonly tileOctets: number;
  /** Octets that a thread decodes before it uses them: more reads under way. */
  readonly ahead: number;
  /** Whether rows are divided by their length. */
  readonly normalize: boolean;
}

const ONE_ROW: Shape = { rows: 1, perThread: 1, tileOctets: 64, ahead: 4, normalize: false };
const FEW_ROWS: Shape = { rows: 4, perThread: 1, tileOctets: 64, ahead: 2, normalize: false };
const MANY_ROWS: Shape = { rows: 16, perThread: 2, tileOctets: 16, ahead: 1, normalize: false };

/** From here on, rows are taken by 16. */
const MANY = 9;

/** x [T, K], weight [N, K], bias [N], out [T, N]. */
export function linear(context: OpContext, command: CommandOf<'linear'>): void {
  const { x, weight, bias, normalizeRows, out } = command;
  const shape = shapeFor(x.rows, normalizeRows);
  const { rows, perThread, normalize } = shape;
  for (const { firstRow, slice } of rowBlocks(weight, context.maxWeightBytes)) {
    const { variant, text, operands, words } = weightOperand(slice, context);
    const kernel = kernelOf(`linear-${variant}-${rows}${normalize ? '-normalized' : ''}`, () => ({
      params: 'weight: Weight, x: Tensor, out: Tensor',
      buffers: [ARENA, ...text.buffers],
      code: linearCode(text, shape),
    }));
    context.emit({
      kernel,
      operands: [context.arena, ...operands],
      words: [...words, ...tensorWords(x), ...tensorWords(out.columns(firstRow, slice.rows))],
      groups: [Math.ceil(slice.rows / (OUTPUTS * perThread)), Math.ceil(x.rows / rows)],
    });
  }
  if (bias) addBias(context, { out, bias, replace: false });
}

function shapeFor(rows: number, normalize: boolean): Shape {
  if (normalize) return { ...FEW_ROWS, normalize };
  if (rows === 1) return ONE_ROW;
  return rows < MANY ? FEW_ROWS : MANY_ROWS;
}

function linearCode(text: WeightText, shape: Shape): string {
  const { rows, perThread, tileOctets, ahead, normalize } = shape;
  const vectors = Math.max(1, rows / 4);
  const type = rows === 1 ? 'f32' : 'vec4f';
  // One element more than an octet has, so that chains do not meet in a bank of workgroup memory.
  const stride = 8 * vectors + 1;
  const each = <T>(count: number, make: (i: number) => T): T[] =>
    Array.from({ length: count }, (_, i) => make(i));
  const sums = each(perThread, (p) => each(vectors, (m) => `sum_${p}_${m}`));
  const element = (name: string, k: number): string => `${name}.${k < 4 ? 'a' : 'b'}.${'xyzw'[k % 4]}`;
  const multiply = each(8, (k) =>
    each(vectors, (m) => [
      `x_value = tile[start + ${k * vectors + m}u];`,
      ...each(perThread, (p) => {
        const sum = sums[p]?.[m] ?? '';
        return `${sum} = fma(${type}(${element(`w_${p}`, k)}), x_value, ${sum});`;
      }),
    ]).concat(normalize ? [[`squares = fma(${element('w_0', k)}, ${element('w_0', k)}, squares);`]] : []),
  ).flat(2);
  return `${text.code}
const TILE_K = ${8 * tileOctets}u;
var<workgroup> tile: array<${type}, ${Math.max(tileOctets * stride, THREADS)}>;
fn x_at(row: u32, k: u32) -> f32 {
  if (row >= params.x.rows || k >= params.x.cols) { return 0.0; }
  return arena[place(params.x, row, k)];
}
/** Columns past the last count as zeros. */
fn within(value: Octet, k: u32) -> Octet {
  let cols = params.weight.cols;
  if (k + 8u <= cols) { return value; }
  let at = vec4u(k) + vec4u(0u, 1u, 2u, 3u);
  return Octet(select(vec4f(0.0), value.a, at < vec4u(cols)), select(vec4f(0.0), value.b, at + vec4u(4u) < vec4u(cols)));
}
/** Chains in their order. */
fn chains_of(output: u32) -> ${type} {
  var total = tile[output * ${CHAINS}u];
  for (var p = 1u; p < ${CHAINS}u; p++) { total += tile[output * ${CHAINS}u + p]; }
  return total;
}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) thread: u32) {
  let first = id.x * ${OUTPUTS * perThread}u;
  let first_row = id.y * ${rows}u;
  let output = thread / ${CHAINS}u;
  let chain = thread % ${CHAINS}u;
  ${sums
    .flat()
    .map((sum) => `var ${sum} = ${type}(0.0);`)
    .join('\n  ')}
  ${normalize ? 'var squares = 0.0;' : ''}
  for (var k0 = 0u; k0 < params.weight.cols; k0 += TILE_K) {
    for (var i = thread; i < ${tileOctets * 8 * vectors}u; i += ${THREADS}u) {
      let k = i / ${vectors}u;
      let m = i % ${vectors}u;
      let row = first_row + 4u * m;
      tile[(k >> 3u) * ${stride}u + (k & 7u) * ${vectors}u + m] = ${rows === 1 ? 'x_at(row, k0 + k)' : 'vec4f(x_at(row, k0 + k), x_at(row + 1u, k0 + k), x_at(row + 2u, k0 + k), x_at(row + 3u, k0 + k))'};
    }
    workgroupBarrier();
    for (var o = chain; o < ${tileOctets}u; o += ${CHAINS * ahead}u) {
      if (k0 + 8u * o >= params.weight.cols) { break; }
      // Loops of fixed length: compilers unroll them, and the text stays short.
      var decoded: array<Octet, ${ahead * perThread}>;
      for (var i = 0u; i < ${ahead * perThread}u; i++) {
        let k = k0 + 8u * (o + i / ${perThread}u * ${CHAINS}u);
        let row = min(first + i % ${perThread}u * ${OUTPUTS}u + output, params.weight.rows - 1u);
        decoded[i] = within(octet(params.weight, row, k), k);
      }
      for (var a = 0u; a < ${ahead}u; a++) {
        let start = (o + a * ${CHAINS}u) * ${stride}u;
        ${each(perThread, (p) => `let w_${p} = decoded[a * ${perThread}u + ${p}u];`).join('\n        ')}
        var x_value: ${type};
        ${multiply.join('\n        ')}
      }
    }
    workgroupBarrier();
  }
  ${normalize ? finishLength(type) : ''}
  ${finishSums(sums.flat(), shape)}
}`;
}

/** The length of the output's weight row, at least 1e-12 (NormHead). */
function finishLength(type: string): string {
  return `
  tile[thread] = ${type}(squares);
  workgroupBarrier();
  let row_length = max(sqrt(chains_of(thread % ${OUTPUTS}u).x), 1e-12);
  workgroupBarrier();`;
}

/** Adds the chains of each sum and writes what they give: one after the other, through the same workgroup memory. */
function finishSums(sums: readonly string[], { rows, normalize }: Shape): string {
  const vectors = Math.max(1, rows / 4);
  const type = rows === 1 ? 'f32' : 'vec4f';
  const at = 'arena[place(params.out, row, col)]';
  return `
  var sums = array<${type}, ${sums.length}>(${sums.join(', ')});
  for (var i = 0u; i < ${sums.length}u; i++) {
    tile[thread] = sums[i];
    workgroupBarrier();
    let col = first + i / ${vectors}u * ${OUTPUTS}u + thread;
    if (thread < ${OUTPUTS}u && col < params.out.cols) {
      let total = chains_of(thread)${normalize ? ' / row_length' : ''};
      var row = first_row + i % ${vectors}u * 4u;
      ${rows === 1 ? `${at} = total;` : `for (var t = 0u; t < 4u && row < params.out.rows; t++) { ${at} = total[t]; row++; }`}
    }
    workgroupBarrier();
  }`;
}
