// The state is what `json.dumps` of Python writes, with blanks behind it where its length was promised before.

import { parseQuantState, quantStateByteLength, quantStateBytes } from './quant-state.js';

const source = { dtype: 'BF16', shape: [128, 192] } as const;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

it('is spelled as bitsandbytes writes it', () => {
  expect(text(quantStateBytes(source))).toBe(
    '{"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": [128, 192]}',
  );
});

it.each([0.14610035717487335, 0, -1, 1e-38, 1.401298464324817e-45, -3.4028234663852886e38])(
  'holds offset %p in the length promised',
  (offset) => {
    const bytes = quantStateBytes(source, offset);
    expect(bytes).toHaveLength(quantStateByteLength(source, true));
    expect(JSON.parse(text(bytes))).toEqual({
      quant_type: 'nf4',
      blocksize: 64,
      dtype: 'bfloat16',
      shape: [128, 192],
      nested_blocksize: 256,
      nested_dtype: 'float32',
      nested_offset: offset,
    });
    expect(parseQuantState(bytes)).toEqual({ blockLength: 64, nestedBlockLength: 256, nestedOffset: offset });
  },
);

it.each(['', '{', '[]', 'null', '{"blocksize": "64"}'])('does not take %p for a state', (json) => {
  expect(parseQuantState(new TextEncoder().encode(json))).toBeUndefined();
});
