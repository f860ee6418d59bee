// Hostile headers: whatever the bytes are, the outcome is a header that keeps its promises or a
// `SafetensorsError`, and nothing larger than the file is ever asked for.

import { DTYPE_BITS, readHeader, SafetensorsError } from '../src/index.js';
import { makeFile, RecordingReader, seededRandom } from './make-file.js';

const ROUNDS = 6000;
const HOSTILE = [
  ...[
    '18446744073709551616',
    '9007199254740993',
    '-1',
    '1e400',
    '0.5',
    'null',
    '[]',
    '{}',
    '"\\u0061"',
    '"\\ud800"',
  ],
  ...[
    '"__proto__"',
    '"__metadata__"',
    ',',
    ':',
    '[[[[[[[[',
    '{"a":',
    '\u0000',
    '\ufeff',
    '"',
    '\\',
    '😀',
    '99999999',
  ],
];

const random = seededRandom(20240607);
const below = (limit: number): number => Math.floor(random() * limit);
function pick<T>(items: readonly T[]): T {
  return items[below(items.length)] as T;
}

/** A valid file of a few small tensors. */
function validFile(): { header: string; dataBytes: number } {
  const dtypes = Object.keys(DTYPE_BITS) as (keyof typeof DTYPE_BITS)[];
  const entries = random() < 0.5 ? ['"__metadata__":{"format":"pt"}'] : [];
  let offset = 0;
  for (let i = below(6); i >= 0; i--) {
    const dtype = pick(dtypes);
    const shape = pick([[8], [2, 4], [0], [4, 2, 3], [16]]);
    const end = offset + (shape.reduce((a, b) => a * b, 1) * DTYPE_BITS[dtype]) / 8;
    entries.push(
      `"t.${i}":{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`,
    );
    offset = end;
  }
  return { header: `{${entries.join(',')}}`, dataBytes: offset };
}

/** Changes of the text: insert, delete, duplicate, replace a number, move a tensor. */
function mutateText(header: string): string {
  const at = below(header.length);
  const length = 1 + below(12);
  switch (below(6)) {
    case 0:
      return header.slice(0, at) + pick(HOSTILE) + header.slice(at);
    case 5: {
      // Both offsets of a tensor moved: an overlap or a hole, with sizes that still agree.
      const shift = pick([-8, -1, 1, 8]);
      const chosen = pick([...header.matchAll(/\[(\d+),(\d+)\]\}/g), undefined]);
      if (chosen === undefined) return header;
      const moved = `[${Number(chosen[1]) + shift},${Number(chosen[2]) + shift}]}`;
      return header.slice(0, chosen.index) + moved + header.slice(chosen.index + chosen[0].length);
    }
    case 1:
      return header.slice(0, at) + header.slice(at + length);
    case 2:
      return header.slice(0, at) + header.slice(at, at + length * 8) + header.slice(at);
    case 3: {
      const numbers = [...header.matchAll(/\d+/g)];
      const chosen = pick(numbers);
      const value = pick(['0', '1', '7', '4294967296', '9007199254740991', ...HOSTILE.slice(0, 6)]);
      return header.slice(0, chosen.index) + value + header.slice(chosen.index + chosen[0].length);
    }
    default:
      return header.slice(0, at) + pick(HOSTILE) + header.slice(at + length);
  }
}

/** Changes of the bytes: flips, another length field, a cut, more bytes. */
function mutateBytes(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  switch (below(4)) {
    case 0:
      for (let i = below(4); i >= 0; i--) changed[below(changed.length)] = below(256);
      return changed;
    case 1:
      new DataView(changed.buffer).setBigUint64(
        0,
        pick([0n, 1n, 2n ** 31n, 2n ** 53n, 2n ** 64n - 1n, 99_999_999n]),
        true,
      );
      return changed;
    case 2:
      return changed.subarray(0, below(pick([10, changed.length])));
    default:
      return Uint8Array.from([...changed, ...new Uint8Array(1 + below(20))]);
  }
}

it(`survives ${ROUNDS} mutated files`, async () => {
  const outcomes = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const { header, dataBytes } = validFile();
    let text = header;
    for (let i = below(4); i > 0; i--) text = mutateText(text);
    let bytes = makeFile(text, dataBytes);
    if (random() < 0.3) bytes = mutateBytes(bytes);

    const reader = new RecordingReader(bytes);
    let outcome = 'accepted';
    try {
      const parsed = await readHeader(reader);
      // What is accepted covers the data exactly: the promise every reader of weights builds on.
      let end = parsed.dataOffset;
      for (const tensor of parsed.tensors.values()) {
        if (tensor.byteOffset !== end) throw new Error(`round ${round}: gap before ${tensor.name}`);
        end += tensor.byteLength;
      }
      expect(end).toBe(bytes.length);
    } catch (error) {
      if (!(error instanceof SafetensorsError)) throw new Error(`round ${round}: ${text}`, { cause: error });
      outcome = error.code;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    expect(reader.requested.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(bytes.length);
  }
  // The mutations reach the rules they are meant for.
  expect([...outcomes.keys()]).toEqual(
    expect.arrayContaining([
      ...['accepted', 'HEADER_TOO_SMALL', 'HEADER_TOO_LARGE', 'INVALID_HEADER_LENGTH', 'HEADER_NOT_UTF8'],
      ...[
        'INVALID_JSON',
        'DUPLICATE_NAME',
        'INVALID_HEADER',
        'UNKNOWN_DTYPE',
        'SIZE_OVERFLOW',
        'SIZE_MISMATCH',
      ],
      ...['INVALID_OFFSETS', 'TENSORS_OVERLAP', 'DATA_NOT_COVERED'],
    ]),
  );
});
