import type { StoredTensor } from './resolved-weight.js';
import { resolveWeight } from './resolve-weights.js';

const stored = (dtype: string, shape: number[], byteLength: number): ReadonlyMap<string, StoredTensor> =>
  new Map([['w', { name: 'w', dtype, shape, path: 'model.safetensors', byteOffset: 88, byteLength }]]);

describe('resolveWeight', () => {
  it('joins a matrix with its place in the file', () => {
    expect(resolveWeight({ name: 'w', shape: [3, 5] }, stored('BF16', [3, 5], 30))).toEqual({
      name: 'w',
      dtype: 'bf16',
      rows: 3,
      cols: 5,
      isVector: false,
      whole: false,
      decoded: false,
      scales: undefined,
      path: 'model.safetensors',
      byteOffset: 88,
      byteLength: 30,
      rowBytes: 10,
    });
  });

  it('takes a vector for one row', () => {
    const vector = resolveWeight({ name: 'w', shape: [7] }, stored('F32', [7], 28));
    expect(vector).toMatchObject({ dtype: 'f32', rows: 1, cols: 7, isVector: true, rowBytes: 28 });
  });

  it.each([
    [
      'no tensor of that name',
      'v',
      stored('BF16', [3, 5], 30),
      'MISSING_TENSOR',
      'a tensor v with shape [3, 5]',
    ],
    [
      'rows and columns swapped',
      'w',
      stored('BF16', [5, 3], 30),
      'WRONG_SHAPE',
      '[3, 5] for w but the checkpoint has [5, 3]',
    ],
    ['another number of dimensions', 'w', stored('BF16', [15], 30), 'WRONG_SHAPE', 'has [15]'],
    [
      'integers',
      'w',
      stored('I8', [3, 5], 15),
      'UNSUPPORTED_DTYPE',
      'F32, F16, BF16, F8_E4M3, Q8_0, Q4_0, Q4_K, Q6_K for w but the checkpoint stores I8',
    ],
  ])('refuses %s and names the tensor', (_, name, tensors, code, message) => {
    expect(() => resolveWeight({ name, shape: [3, 5] }, tensors)).toThrow(
      expect.objectContaining({
        code,
        message: expect.stringContaining(message),
        fields: expect.objectContaining({ tensor: name }),
      }),
    );
  });
});
