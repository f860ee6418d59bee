// The outcome of every case was taken from the reference implementation (safetensors 0.8.0, `deserialize`),
// but for the names given twice and the dimension beyond 2^53, which it lets pass: see `stricter than`.

import { parseHeader } from './parse-header.js';
import { DTYPE_BITS, type Dtype } from './dtype.js';
import { SafetensorsError } from './safetensors-error.js';

function parse(header: string | Uint8Array, dataBytes = 0) {
  const bytes = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  return parseHeader(bytes, { fileSize: 8 + bytes.length + dataBytes });
}

function codeOf(header: string | Uint8Array, dataBytes = 0): string {
  try {
    parse(header, dataBytes);
    return 'accepted';
  } catch (error) {
    return error instanceof SafetensorsError ? error.code : `not ours: ${String(error)}`;
  }
}

const U8 = (shape: string, begin: number, end: number, more = '') =>
  `{"dtype":"U8","shape":${shape},"data_offsets":[${begin},${end}]${more}}`;

describe('parseHeader', () => {
  it('gives absolute offsets, in the order of the data', () => {
    const text = `{"late":${U8('[2]', 3, 5)},"early":${U8('[3]', 0, 3)},"__metadata__":{"format":"pt"}}`;
    const header = parse(text, 5);
    const dataOffset = 8 + text.length;
    expect(header.dataOffset).toBe(dataOffset);
    expect([...header.tensors.values()]).toEqual([
      { name: 'early', dtype: 'U8', shape: [3], byteOffset: dataOffset, byteLength: 3 },
      { name: 'late', dtype: 'U8', shape: [2], byteOffset: dataOffset + 3, byteLength: 2 },
    ]);
    expect(header.metadata['format']).toBe('pt');
  });

  it('treats no name as special', () => {
    const header = parse(
      `{"__proto__":${U8('[1]', 0, 1)},"__metadata__":{"__proto__":"x","toString":"y"}}`,
      1,
    );
    expect([...header.tensors.keys()]).toEqual(['__proto__']);
    expect(Object.entries(header.metadata)).toEqual([
      ['__proto__', 'x'],
      ['toString', 'y'],
    ]);
    expect(header.metadata['constructor']).toBeUndefined();
  });

  const accepted: [why: string, header: string, dataBytes: number][] = [
    ['fields it does not know', `{"a":${U8('[1]', 0, 1, ',"x":[1.5]')}}`, 1],
    ['metadata null', '{"__metadata__":null}', 0],
    ['white space around', '\t\n{} \r', 0],
    ['an empty tensor in front of another', `{"a":${U8('[2]', 0, 2)},"z":${U8('[0]', 0, 0)}}`, 2],
    ['four 4-bit elements in two bytes', '{"a":{"dtype":"F4","shape":[4],"data_offsets":[0,2]}}', 2],
  ];
  it.each(accepted)('accepts %s', (_why, header, dataBytes) => {
    expect(codeOf(header, dataBytes)).toBe('accepted');
  });

  // Width in bits of every dtype, from the reference implementation: bytes of 8 elements.
  const bytesOf8: Record<string, number> = {
    ...{ F4: 4, F6_E2M3: 6, F6_E3M2: 6, BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8 },
    ...{ F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8, I16: 16, U16: 16, F16: 16, BF16: 16 },
    ...{ I32: 32, U32: 32, F32: 32, C64: 64, F64: 64, I64: 64, U64: 64 },
  };
  it('knows the dtypes of the format', () => {
    expect(Object.keys(DTYPE_BITS).sort()).toEqual(Object.keys(bytesOf8).sort());
  });
  it.each(Object.keys(bytesOf8) as Dtype[])('sizes 8 elements of %s', (dtype) => {
    const bytes = bytesOf8[dtype] ?? NaN;
    const header = `{"a":{"dtype":"${dtype}","shape":[2,4],"data_offsets":[0,${bytes}]}}`;
    expect(parse(header, bytes).tensors.get('a')?.byteLength).toBe(bytes);
  });

  const refused: [code: string, why: string, header: string | Uint8Array, dataBytes: number][] = [
    ['HEADER_NOT_UTF8', 'bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 0],
    ['INVALID_JSON', 'a byte order mark', '\ufeff{}', 0],
    ['INVALID_JSON', 'nothing', '', 0],
    ['INVALID_JSON', 'an open object', '{', 0],
    ['INVALID_JSON', 'text after the object', '{}x', 0],
    ['INVALID_JSON', 'zeros as padding', '{}\0\0', 0],
    ['INVALID_JSON', 'a control character in a name', `{"a\u0001":${U8('[1]', 0, 1)}}`, 1],
    ['INVALID_JSON', 'a lone surrogate in a name', `{"\\ud800":${U8('[1]', 0, 1)}}`, 1],
    [
      'INVALID_JSON',
      '200 nested arrays',
      `{"a":${U8('[1]', 0, 1, `,"x":${'['.repeat(200)}${']'.repeat(200)}`)}}`,
      1,
    ],
    ['INVALID_HEADER', 'null', 'null', 0],
    ['INVALID_HEADER', 'an array', '[]', 0],
    ['INVALID_HEADER', 'a tensor that is no object', '{"a":1}', 0],
    ['INVALID_HEADER', 'a tensor without dtype', '{"a":{"shape":[],"data_offsets":[0,1]}}', 1],
    ['INVALID_HEADER', 'a tensor without shape', '{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1],
    ['INVALID_HEADER', 'a tensor without offsets', '{"a":{"dtype":"U8","shape":[]}}', 0],
    ['INVALID_HEADER', 'three offsets', '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,2]}}', 1],
    ['INVALID_HEADER', 'a dimension 1.0', `{"a":${U8('[1.0]', 0, 1)}}`, 1],
    ['INVALID_HEADER', 'a dimension 1e0', `{"a":${U8('[1e0]', 0, 1)}}`, 1],
    ['INVALID_HEADER', 'a dimension -1', `{"a":${U8('[-1]', 0, 1)}}`, 1],
    ['INVALID_HEADER', 'an offset -0', '{"a":{"dtype":"U8","shape":[],"data_offsets":[-0,1]}}', 1],
    ['INVALID_HEADER', 'metadata that is no string', '{"__metadata__":{"a":1}}', 0],
    ['INVALID_HEADER', 'metadata that is no object', '{"__metadata__":"a"}', 0],
    [
      'UNKNOWN_DTYPE',
      'a dtype of another format',
      '{"a":{"dtype":"I4","shape":[2],"data_offsets":[0,1]}}',
      1,
    ],
    [
      'UNKNOWN_DTYPE',
      'an inherited property as dtype',
      '{"a":{"dtype":"toString","shape":[],"data_offsets":[0,1]}}',
      1,
    ],
    ['PARTIAL_BYTE', 'three 4-bit elements', '{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', 2],
    ['SIZE_OVERFLOW', 'a product beyond 2^64', `{"a":${U8('[4294967296,4294967296,4]', 0, 1)}}`, 1],
    ['SIZE_MISMATCH', 'more bytes than the shape has', `{"a":${U8('[1]', 0, 2)}}`, 2],
    ['INVALID_OFFSETS', 'an end before its begin', `{"a":${U8('[1]', 2, 1)}}`, 2],
    ['TENSORS_OVERLAP', 'an overlap', `{"a":${U8('[2]', 0, 2)},"b":${U8('[2]', 1, 3)}}`, 3],
    [
      'TENSORS_OVERLAP',
      'an empty tensor inside another',
      `{"a":${U8('[2]', 0, 2)},"z":${U8('[0]', 1, 1)}}`,
      2,
    ],
    ['DATA_NOT_COVERED', 'a hole', `{"a":${U8('[1]', 0, 1)},"b":${U8('[1]', 2, 3)}}`, 3],
    ['DATA_NOT_COVERED', 'a hole in front', `{"a":${U8('[1]', 1, 2)}}`, 2],
    ['DATA_NOT_COVERED', 'a file that is cut', `{"a":${U8('[4]', 0, 4)}}`, 3],
    ['DATA_NOT_COVERED', 'bytes after the last tensor', `{"a":${U8('[4]', 0, 4)}}`, 5],
  ];
  it.each(refused)('refuses with %s: %s', (code, _why, header, dataBytes) => {
    expect(codeOf(header, dataBytes)).toBe(code);
  });

  // Stricter than the reference implementation, whose map keeps the last of two.
  const stricter: [code: string, why: string, header: string, dataBytes: number][] = [
    ['DUPLICATE_NAME', 'a tensor twice', `{"a":${U8('[1]', 0, 1)},"a":${U8('[1]', 0, 1)}}`, 1],
    ['DUPLICATE_NAME', 'a tensor twice, escaped', `{"a":${U8('[1]', 0, 1)},"\\u0061":${U8('[1]', 0, 1)}}`, 1],
    ['DUPLICATE_NAME', 'a field twice', `{"a":${U8('[1]', 0, 1, ',"dtype":"U8"')}}`, 1],
    ['DUPLICATE_NAME', 'a metadata key twice', '{"__metadata__":{"a":"1","a":"2"}}', 0],
    [
      'SIZE_OVERFLOW',
      'a dimension beyond 2^53 beside a zero',
      `{"a":${U8('[1152921504606846976,0]', 0, 0)}}`,
      0,
    ],
  ];
  it.each(stricter)('refuses with %s: %s', (code, _why, header, dataBytes) => {
    expect(codeOf(header, dataBytes)).toBe(code);
  });

  it('keeps names from the file short in messages, whole in fields', () => {
    const name = 'x'.repeat(5000);
    try {
      parse(`{"${name}":{"dtype":"?","shape":[],"data_offsets":[0,0]}}`);
      throw new Error('accepted');
    } catch (error) {
      expect(error).toBeInstanceOf(SafetensorsError);
      expect((error as SafetensorsError).message.length).toBeLessThan(300);
      expect((error as SafetensorsError).fields).toEqual({ tensor: name });
    }
  });
});
