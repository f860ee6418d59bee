import { readCase } from '../../test/cases.js';
import { blocksFor, demandOf, sizeRun } from './run-size.js';

const { definition } = await readCase('llama3-gqa');
/** llama3-gqa: 3 layers of 2 key heads of 8 columns; 256 tokens of vocabulary; hidden size 64. */
const PLENTY = 1e12;

const size = (sequenceTokens: number[], promptRows: number, activationBytes = PLENTY) =>
  sizeRun(definition, { sequenceTokens, promptRows }, activationBytes);

describe('sizeRun', () => {
  it('takes whole KV blocks of 16 tokens for what each sequence can grow to', () => {
    const { kvShape, kvBytes } = size([33, 16, 1], 3);
    // 3 + 1 + 1 blocks.
    expect(kvShape).toEqual({
      blocks: 5,
      slots: 3,
      layers: [0, 1, 2].map(() => ({ kind: 'attention', kvHeads: 2, headDim: 8, keysOnly: false })),
    });
    // blocks · tokens · layers · heads · columns · (keys and values) · float32
    expect(kvBytes).toBe(5 * 16 * 3 * 2 * 8 * 2 * 4);
  });

  it('counts three copies of a row of logits per sequence, and adds everything up', () => {
    const { arenaBytes, kvBytes, logitsBytes, bytes } = size([10, 10], 12);
    expect(logitsBytes).toBe(2 * 256 * 4 * 3);
    expect(bytes).toBe(arenaBytes + kvBytes + logitsBytes);
  });

  it('computes the whole prompt at once up to 512 rows, logits of one row per sequence', () => {
    expect(size([40, 40], 30).shape).toEqual({ rows: 30, logitRows: 2 });
    expect(size([2000], 1900).shape).toEqual({ rows: 512, logitRows: 1 });
  });

  it('halves the rows until the activations fit', () => {
    const whole = size([200], 160);
    const half = size([200], 160, whole.arenaBytes - 1);
    expect([whole.shape.rows, half.shape.rows]).toEqual([160, 80]);
    expect(half.arenaBytes).toBeLessThan(whole.arenaBytes);
    expect(size([200], 160, half.arenaBytes - 1).shape.rows).toBe(40);
  });

  it('has at least 16 rows, a whole shorter prompt, and one row per sequence', () => {
    expect(size([200], 160, 0).shape.rows).toBe(16);
    expect(size([200], 7, 0).shape.rows).toBe(7);
    expect(size(new Array<number>(20).fill(9), 100, 0).shape).toEqual({ rows: 20, logitRows: 20 });
  });

  it('has room for the state that crosses layers', () => {
    // hidden [rows, 64], cosines and sines [rows, 4] each.
    expect(size([40], 32).arenaElements).toBeGreaterThan(32 * (64 + 4 + 4));
    expect(size([40], 32).arenaBytes).toBe(size([40], 32).arenaElements * 4);
  });
});

describe('blocksFor', () => {
  it.each([
    [1, 1],
    [16, 1],
    [17, 2],
  ])('%i tokens lie in %i blocks', (tokens, blocks) => expect(blocksFor(tokens)).toBe(blocks));
});

describe('demandOf', () => {
  const run = size([33], 3);

  it('asks the host for everything where ops run in its memory', () => {
    expect(demandOf(run, { onDevice: false })).toEqual({ hostBytes: run.bytes, deviceBytes: 0 });
  });

  it('asks a device for activations and the KV cache, whose buffers it may round up, and the host for logits', () => {
    // Keys and values of 3 layers, and the arena: 7 buffers of up to 256 bytes more.
    const deviceBytes = run.arenaBytes + run.kvBytes + 7 * 256;
    expect(demandOf(run, { onDevice: true })).toEqual({ hostBytes: run.logitsBytes, deviceBytes });
  });
});
