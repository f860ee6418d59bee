import type { StoredTensor } from './resolved-weight.js';
import { resolveWeight } from './resolve-weights.js';

function table(...tensors: Pick<StoredTensor, 'name' | 'dtype' | 'shape'>[]): Map<string, StoredTensor> {
  const bytes: Record<string, number> = { F32: 4, BF16: 2, F8_E4M3: 1 };
  let byteOffset = 1000;
  return new Map(
    tensors.map((tensor) => {
      const byteLength = tensor.shape.reduce((a, b) => a * b, 1) * (bytes[tensor.dtype] ?? 0);
      byteOffset += byteLength;
      return [tensor.name, { ...tensor, path: '/f', byteOffset: byteOffset - byteLength, byteLength }];
    }),
  );
}

describe('a weight that is part of a tensor', () => {
  const tensors = table({ name: 'experts', dtype: 'BF16', shape: [4, 6, 5] });

  it('lies at its elements', () => {
    const source = { tensor: 'experts', shape: [4, 6, 5], start: 2 * 30 };
    const weight = resolveWeight({ name: 'experts.2', shape: [6, 5], source }, tensors);
    // Two experts of 30 bf16 values lie before it.
    expect(weight).toMatchObject({ rows: 6, cols: 5, byteOffset: 1000 + 120, byteLength: 60, rowBytes: 10 });
  });

  it('lies within it', () => {
    const source = { tensor: 'experts', shape: [4, 6, 5], start: 91 };
    expect(() => resolveWeight({ name: 'x', shape: [6, 5], source }, tensors)).toThrow('within experts');
  });

  it('is refused where the tensor has another shape', () => {
    const source = { tensor: 'experts', shape: [4, 30], start: 0 };
    expect(() => resolveWeight({ name: 'x', shape: [30], source }, tensors)).toThrow('has [4, 6, 5]');
  });
});

describe('scales of an FP8 weight', () => {
  const weight = { name: 'w', dtype: 'F8_E4M3', shape: [200, 300] };
  const ref = { name: 'w', shape: [200, 300] };

  it.each([
    ['w_scale_inv', [2, 3], { cols: 3, blockRows: 128, blockCols: 128 }],
    ['w_scale', [], { cols: 1, blockRows: 200, blockCols: 300 }],
    ['w_scale', [1], { cols: 1, blockRows: 200, blockCols: 300 }],
    ['w_scale', [200, 1], { cols: 1, blockRows: 1, blockCols: 300 }],
  ])('are found as %s %j', (name, shape, expected) => {
    const { scales } = resolveWeight(ref, table(weight, { name, dtype: 'F32', shape }));
    expect(scales).toMatchObject({ ...expected, vector: { name, isVector: true, dtype: 'f32' } });
  });

  it('may be bfloat16, and nothing smaller', () => {
    const scale = (dtype: string) => table(weight, { name: 'w_scale', dtype, shape: [1] });
    expect(resolveWeight(ref, scale('BF16')).scales?.dtype).toBe('bf16');
    expect(() => resolveWeight(ref, scale('F16'))).toThrow('F32 or BF16 for w_scale');
  });

  it('are missed by name, and refused in another shape', () => {
    expect(() => resolveWeight(ref, table(weight))).toThrow('w_scale_inv [2, 3]');
    expect(() =>
      resolveWeight(ref, table(weight, { name: 'w_scale_inv', dtype: 'F32', shape: [3, 2] })),
    ).toThrow('has [3, 2]');
  });
});
