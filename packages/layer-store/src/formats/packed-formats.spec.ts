// Packed checkpoints by their tensors' names and shapes alone: what is found, where the rows lie, what is refused.

import type { WeightSpan } from '@airllm/backend';
import type { FileSpan, StoredTensor } from '../resolved-weight.js';
import { resolveWeight } from '../resolve-weights.js';
import { cutTiles } from '../tile.js';

const BYTES: Record<string, number> = { U8: 1, I8: 1, F16: 2, BF16: 2, F32: 4, I32: 4 };

/** One after the other in one file, from byte 1000 on. */
function table(tensors: readonly (readonly [name: string, dtype: string, shape: number[]])[]) {
  let byteOffset = 1000;
  return new Map<string, StoredTensor>(
    tensors.map(([name, dtype, shape]) => {
      const byteLength = shape.reduce((a, b) => a * b, 1) * (BYTES[dtype] ?? 0);
      byteOffset += byteLength;
      return [name, { name, dtype, shape, path: '/f', byteOffset: byteOffset - byteLength, byteLength }];
    }),
  );
}

/** Residents with these contents, by the names of their tensors. */
const residents =
  (contents: Record<string, Uint8Array>) =>
  (span: FileSpan): WeightSpan => {
    const bytes = contents[(span as StoredTensor).name] ?? new Uint8Array(4096);
    return {
      memory: { byteLength: bytes.length, bytes, pageAligned: false, dispose: () => undefined },
      byteOffset: 0,
    };
  };

const span = residents({})({ path: '/f', byteOffset: 0, byteLength: 0 });

describe('MXFP4', () => {
  const tensors = table([
    ['experts_blocks', 'U8', [4, 6, 2, 16]],
    ['experts_scales', 'U8', [4, 6, 2]],
  ]);
  const expert = (i: number) => ({
    name: `experts[${i}]`,
    shape: [6, 64],
    source: { tensor: 'experts', shape: [4, 6, 64], start: i * 6 * 64 },
  });

  it('has the rows of an expert and their scales', () => {
    const weight = resolveWeight(expert(2), tensors);
    // Two experts of 6 rows × 32 bytes lie before its rows, and of 6 × 2 before its scales, which follow 4 · 192 bytes.
    expect(weight).toMatchObject({ dtype: 'mxfp4', rows: 6, cols: 64, rowBytes: 32, byteOffset: 1000 + 384 });
    expect(weight.packing?.companions).toEqual([
      { path: '/f', byteOffset: 1000 + 768 + 24, unitBytes: 2, unitElements: 64, first: 0 },
    ]);
    expect(weight.packing?.open(residents({}))([span], 3)).toEqual({ kind: 'mxfp4', scales: span });
  });

  it('is refused with scales of another shape, or none', () => {
    const blocks: [string, string, number[]] = ['experts_blocks', 'U8', [4, 6, 2, 16]];
    expect(() => resolveWeight(expert(0), table([blocks]))).toThrow('tensor experts_scales');
    const wrong = table([blocks, ['experts_scales', 'U8', [4, 6, 3]]]);
    expect(() => resolveWeight(expert(0), wrong)).toThrow('U8 [4, 6, 2] for experts_scales');
  });
});

describe('bitsandbytes', () => {
  const state = (changes: object = {}) =>
    new TextEncoder().encode(
      JSON.stringify({
        ...{ quant_type: 'nf4', blocksize: 64, dtype: 'bfloat16', shape: [10, 128] },
        ...{ nested_blocksize: 8, nested_dtype: 'float32', nested_offset: 0.1 },
        ...changes,
      }).padEnd(200),
    );
  const NESTED = [
    ['w', 'U8', [640, 1]],
    ['w.absmax', 'U8', [20]],
    ['w.quant_map', 'F32', [16]],
    ['w.nested_absmax', 'F32', [3]],
    ['w.nested_quant_map', 'F32', [256]],
    ['w.quant_state.bitsandbytes__nf4', 'U8', [200]],
  ] as const;
  const nested = (changes: Record<string, [string, number[]]> = {}) =>
    table(NESTED.map(([name, dtype, shape]) => [name, ...(changes[name] ?? [dtype, [...shape]])] as const));
  const ref = { name: 'w', shape: [10, 128] };
  const open = (bytes: Uint8Array) =>
    resolveWeight(ref, nested()).packing?.open(residents({ 'w.quant_state.bitsandbytes__nf4': bytes }));

  it('has factors beside the rows, and an offset from its state', () => {
    const weight = resolveWeight(ref, nested());
    expect(weight).toMatchObject({ dtype: 'code4', rows: 10, cols: 128, rowBytes: 64 });
    expect(weight.packing?.companions).toMatchObject([{ byteOffset: 1640, unitBytes: 1, unitElements: 64 }]);
    // Row 3 begins with factor 3 · 2 of the weight.
    expect(open(state())?.([span], 3)).toMatchObject({
      kind: 'code4',
      blockLength: 64,
      first: 0,
      nested: { blockLength: 8, offset: Math.fround(0.1), first: 6 },
    });
  });

  it.each([
    ['shape', { shape: [128, 10] }],
    ['blocksize', { blocksize: 128 }],
    ['nested_blocksize', { nested_blocksize: 4 }],
    ['nested_blocksize', { nested_blocksize: 0 }],
    ['nested_offset', { nested_offset: 'NaN' }],
  ])('refuses a state whose %s contradicts the headers', (field, changes) => {
    expect(() => open(state(changes))).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_DTYPE', fields: expect.objectContaining({ field }) }),
    );
  });

  it('refuses a state that is no JSON', () => {
    expect(() => open(Uint8Array.of(0xff, 0x7b))).toThrow('Expected a JSON object');
  });

  it.each([
    ['w', ['U8', [320, 1]], 'U8 [640, 1]'],
    ['w.absmax', ['U8', [15]], 'a factor for each block of 1280 elements'],
    ['w.quant_map', ['F32', [256]], 'F32 [16] for w.quant_map'],
    ['w.nested_quant_map', ['F16', [256]], 'stores F16'],
    ['w.quant_state.bitsandbytes__nf4', ['U8', [1e6]], 'at most 4096 bytes'],
  ] as const)('refuses %s as %j', (name, [dtype, shape], message) => {
    expect(() => resolveWeight(ref, nested({ [name]: [dtype, [...shape]] }))).toThrow(message);
  });
});

describe('GPTQ and AWQ', () => {
  const ref = { name: 'm.weight', shape: [16, 64] };
  const gptq = (changes: Record<string, number[]> = {}) =>
    table([
      ['m.qweight', 'I32', changes['qweight'] ?? [8, 16]],
      ['m.qzeros', 'I32', changes['qzeros'] ?? [4, 2]],
      ['m.scales', 'F16', changes['scales'] ?? [4, 16]],
      ['m.g_idx', 'I32', changes['g_idx'] ?? [64]],
    ]);
  const groupsOf = (list: number[]) => new Uint8Array(Int32Array.from(list).buffer);
  const inOrder = Array.from({ length: 64 }, (_, row) => Math.floor(row / 16));

  it('are input-major, cut between groups', () => {
    const weight = resolveWeight(ref, gptq());
    expect(weight).toMatchObject({ dtype: 'gptq4', rows: 64, cols: 16, rowBytes: 8 });
    expect(weight.packing).toMatchObject({ inputMajor: true, rowUnit: 16 });
    // A group of 16 rows is 128 bytes, with 32 of scales and 8 of zeros: 168; two fit 400, three do not.
    const tiles = cutTiles([weight], { stage: 0, firstIndex: 0, tileBytes: 400 });
    expect(tiles.map(({ parts }) => parts.map(({ rowStart, rowCount }) => [rowStart, rowCount]))).toEqual([
      [[0, 32]],
      [[32, 32]],
    ]);
    // Behind 512 bytes of weights from byte 1000 on, 32 of zeros, then scales; all within one page of the file.
    expect(tiles[1]?.reads).toMatchObject([{ fileOffset: 0 }]);
    expect(tiles[1]?.parts[0]).toMatchObject({
      bufferOffset: 1000 + 256,
      companionOffsets: [1000 + 544 + 64, 1000 + 512 + 16],
    });
  });

  it('are told apart by the axis of their words', () => {
    const awq = table([
      ['m.qweight', 'I32', [64, 2]],
      ['m.qzeros', 'I32', [4, 2]],
      ['m.scales', 'F16', [4, 16]],
    ]);
    expect(resolveWeight(ref, awq).dtype).toBe('awq4');
    // 8-bit GPTQ has twice the words.
    expect(() => resolveWeight(ref, gptq({ qweight: [16, 16] }))).toThrow('4-bit words');
  });

  it('take rows in the order of their groups alone', () => {
    const open = (list: number[]) =>
      resolveWeight(ref, gptq()).packing?.open(residents({ 'm.g_idx': groupsOf(list) }));
    expect(open(inOrder)?.([span, span], 0)).toMatchObject({
      kind: 'gptq4',
      groupRows: 16,
      scaleDType: 'f16',
    });
    expect(() => open([1, ...inOrder.slice(1)])).toThrow('row 0 is of group 1');
  });

  it('take rows of any group where the config tells, with the factors of all groups', () => {
    const weight = resolveWeight(ref, gptq(), { shuffledGroups: true });
    // 4 groups of 32 bytes of scales and 8 of zeros; blocks of 24 rows, whose 192 bytes are no fewer.
    expect(weight.packing).toMatchObject({
      rowUnit: 24,
      companions: [
        { unitBytes: 128, unitElements: 1024 },
        { unitBytes: 32, unitElements: 1024 },
      ],
    });
    const open = (list: number[]) => weight.packing?.open(residents({ 'm.g_idx': groupsOf(list) }));
    const any = inOrder.map((group, row) => (group + row) % 4);
    expect(open(any)?.([span, span], 24)).toMatchObject({
      rowGroups: { count: 4, indices: { byteOffset: 96 } },
    });
    expect(() => open([4, ...any.slice(1)])).toThrow('groups below 4 in m.g_idx but row 0 is of group 4');
    expect(() => open([-1, ...any.slice(1)])).toThrow('row 0 is of group -1');
  });

  it.each([
    [{ qzeros: [4, 16] }, 'I32 [4, 2] for m.qzeros'],
    [{ scales: [5, 16] }, 'm.qzeros'],
    [{ scales: [5, 16], qzeros: [5, 2] }, 'equal groups of 64 rows'],
    [{ g_idx: [16] }, 'I32 [64] for m.g_idx'],
  ])('refuse %j', (changes, message) => {
    expect(() => resolveWeight(ref, gptq(changes))).toThrow(message);
  });
});

describe('blocks of GGUF', () => {
  const tensors = table([['w', 'Q4_K', [4, 512]]]);

  it('are whole rows', () => {
    // 512 elements are two blocks of 144 bytes.
    expect(resolveWeight({ name: 'w', shape: [4, 512] }, tensors)).toMatchObject({
      dtype: 'q4_k',
      rowBytes: 288,
    });
    expect(() => resolveWeight({ name: 'v', shape: [4, 100] }, table([['v', 'Q8_0', [4, 100]]]))).toThrow(
      'whole blocks of 32',
    );
  });

  it('are decoded where an op reads a weight as a whole, or a vector', () => {
    expect(resolveWeight({ name: 'w', shape: [4, 512] }, tensors).decoded).toBe(false);
    expect(resolveWeight({ name: 'w', shape: [4, 512], whole: true }, tensors).decoded).toBe(true);
    expect(resolveWeight({ name: 'v', shape: [256] }, table([['v', 'Q4_K', [256]]])).decoded).toBe(true);
  });
});

describe('shards in 4bit', () => {
  const tensors = (elements: number, absmax: number, infix = '.4bit') =>
    table([
      ['w', 'U8', [Math.ceil(elements / 2), 1]],
      [`w${infix}.absmax`, 'F32', [absmax]],
      [`w${infix}.quant_map`, 'F32', [16]],
      [`w${infix}.quant_state.bitsandbytes__nf4`, 'U8', [100]],
    ]);
  const state = (shape: number[]) =>
    residents({
      'w.4bit.quant_state.bitsandbytes__nf4': new TextEncoder().encode(
        JSON.stringify({ quant_type: 'nf4', blocksize: 64, shape }).padEnd(100),
      ),
    });

  it('have blocks that cross rows', () => {
    // 10 · 50 elements are 8 blocks of 64, the last of 52.
    const weight = resolveWeight({ name: 'w', shape: [10, 50] }, tensors(500, 8));
    expect(weight.packing?.companions).toMatchObject([
      { byteOffset: 1250, unitBytes: 4, unitElements: 64, first: 0 },
    ]);
    // Row 3 begins with element 150, the 22nd after 2 · 64.
    expect(weight.packing?.open(state([10, 50]))([span], 3)).toMatchObject({ blockLength: 64, first: 22 });
  });

  it('are cut between rows that begin with a byte', () => {
    // Rows of 25 are 12.5 bytes, pairs 25, with one factor for elements 0 … 49 and two for 50 … 99, 100 … 149 and so on.
    const weight = resolveWeight({ name: 'w', shape: [9, 25] }, tensors(225, 4));
    expect(weight).toMatchObject({ rowBytes: 12.5, byteLength: 113, packing: { rowUnit: 2 } });
    const tiles = cutTiles([weight], { stage: 0, firstIndex: 0, tileBytes: 60 });
    expect(tiles.map(({ parts }) => parts.map(({ rowStart, rowCount }) => [rowStart, rowCount]))).toEqual([
      [[0, 4]],
      [[4, 2]],
      [[6, 2]],
      [[8, 1]],
    ]);
    // The last row begins after 200 elements, 100 bytes; the last factor, number 3, follows 113 bytes and three others.
    expect(tiles[3]?.parts[0]).toMatchObject({ bufferOffset: 1100, companionOffsets: [1113 + 12] });
  });

  it('are refused where a part of a tensor begins within a byte', () => {
    const ref = { name: 'w[1]', shape: [3, 25], source: { tensor: 'w', shape: [3, 3, 25], start: 75 } };
    expect(() => resolveWeight(ref, tensors(225, 4))).toThrow('first 4-bit code is number 75');
  });

  it('are refused with factors for no length of blocks', () => {
    expect(() => resolveWeight({ name: 'w', shape: [10, 50] }, tensors(500, 7))).toThrow(
      'w.4bit.absmax to have a factor for each block of 500 elements',
    );
  });

  it('take any length of blocks where there is one', () => {
    const weight = resolveWeight({ name: 'w', shape: [5, 6] }, tensors(30, 1));
    expect(weight.packing?.open(state([5, 6]))([span], 0)).toMatchObject({ blockLength: 32, first: 0 });
  });
});

describe('shards in 8bit, int8, int4 and lossless', () => {
  const ref = { name: 'w', shape: [6, 200] };
  const stored = {
    '8bit': [
      ['w', 'U8', [6, 200]],
      ['w.8bit.absmax', 'F32', [1]],
      ['w.8bit.code', 'F32', [256]],
    ],
    int8: [
      ['w', 'I8', [6, 200]],
      ['w.int8.scales', 'F32', [6, 2]],
    ],
    int4: [
      ['w', 'U8', [6, 100]],
      ['w.int4.scales', 'F32', [6, 2]],
    ],
    lossless: [
      ['w', 'U8', [6, 200]],
      ['w.lossless.codes', 'U8', [6, 96]],
      ['w.lossless.escapes', 'U8', [6, 4]],
    ],
  } as const;
  const tensors = (format: keyof typeof stored, changes: Record<string, readonly [string, number[]]> = {}) =>
    table(
      stored[format].map(
        ([name, dtype, shape]) => [name, ...(changes[name] ?? [dtype, [...shape]])] as const,
      ),
    );

  it('are told by the names of their companions', () => {
    // Scales of 128 columns each: two a row, of 4 bytes. Codes: 24 bytes for each of ceil(200 / 64) groups.
    const dtypes = (Object.keys(stored) as (keyof typeof stored)[]).map((format) => {
      const { dtype, rowBytes, packing } = resolveWeight(ref, tensors(format));
      return [dtype, rowBytes, ...(packing?.companions ?? []).map(({ unitBytes }) => unitBytes)];
    });
    expect(dtypes).toEqual([
      ['code8', 200, 4],
      ['int8', 200, 8],
      ['int4', 100, 8],
      ['bf16z', 200, 96, 4],
    ]);
  });

  it.each([
    ['8bit', 'w', ['U8', [6, 100]], 'U8 [6, 200] for w'],
    ['8bit', 'w.8bit.absmax', ['F32', [2]], 'F32 [1] for w.8bit.absmax'],
    ['8bit', 'w.8bit.code', ['F32', [16]], 'F32 [256] for w.8bit.code'],
    ['int8', 'w', ['U8', [6, 200]], 'I8 [6, 200] for w'],
    ['int8', 'w.int8.scales', ['F32', [6, 3]], 'F32 [6, 2] for w.int8.scales'],
    ['int4', 'w', ['U8', [6, 200]], 'U8 [6, 100] for w'],
    ['int4', 'w.int4.scales', ['F16', [6, 2]], 'stores F16'],
    ['lossless', 'w.lossless.codes', ['U8', [6, 75]], 'U8 [6, 96] for w.lossless.codes'],
    ['lossless', 'w.lossless.escapes', ['U8', [5, 4]], '[6, 4] for w.lossless.escapes'],
    ['lossless', 'w.lossless.escapes', ['U8', [6, 0]], '[6, 1] for w.lossless.escapes'],
  ] as const)('%s: refuses %s as %j', (format, name, [dtype, shape], message) => {
    expect(() => resolveWeight(ref, tensors(format, { [name]: [dtype, [...shape]] }))).toThrow(message);
  });

  it('refuses int4 with an odd number of columns', () => {
    const odd = table([
      ['w', 'U8', [6, 25]],
      ['w.int4.scales', 'F32', [6, 1]],
    ]);
    expect(() => resolveWeight({ name: 'w', shape: [6, 51] }, odd)).toThrow('an even number of values');
  });

  it.each(['int8', 'int4', 'lossless'] as const)('%s: refuses parts that are no whole rows', (format) => {
    const across = { name: 'v', shape: [6, 100], source: { tensor: 'w', shape: [6, 200], start: 0 } };
    expect(() => resolveWeight(across, tensors(format))).toThrow('Expected v to be whole rows of w');
  });

  it('begins a part of a tensor with the block it begins in', () => {
    const shape = [4, 6, 200];
    const tensors = table([
      ['w', 'U8', shape],
      ['w.8bit.absmax', 'F32', [3]],
      ['w.8bit.code', 'F32', [256]],
    ]);
    const weight = resolveWeight(
      { name: 'w[3]', shape: [6, 200], source: { tensor: 'w', shape, start: 3600 } },
      tensors,
    );
    // 3600 = 2048 + 1552; the factors follow 4800 bytes from byte 1000 on.
    expect(weight).toMatchObject({ byteOffset: 1000 + 3600 });
    expect(weight.packing?.companions).toMatchObject([{ byteOffset: 1000 + 4800 + 4, first: 1552 }]);
    // Row 3 begins 600 later, 104 into the next block.
    expect(weight.packing?.open(residents({}))([span], 3)).toMatchObject({ kind: 'code8', first: 104 });
  });
});
