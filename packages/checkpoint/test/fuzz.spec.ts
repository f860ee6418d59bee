// Hostile indexes: every outcome is a weight map of plain names or a `CheckpointError`; and a folder with
// such an index and damaged shards opens or is refused, never more.

import { basename, dirname } from 'node:path';
import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CheckpointError, openCheckpoint, parseIndex } from '../src/index.js';
import { index, shard, temporaryFolder } from './make-checkpoint.js';

const PARSE_ROUNDS = 6000;
const OPEN_ROUNDS = 600;
const HOSTILE = [
  ...[
    '"../x.safetensors"',
    '"/etc/passwd"',
    '"a\\\\b.safetensors"',
    '"m\\u0000.safetensors"',
    '"..\\u002fm.safetensors"',
  ],
  ...[
    'null',
    '[]',
    '{}',
    '1e999',
    '"__proto__"',
    '"\\ud800"',
    ',',
    ':',
    '{"a":',
    '[[[[',
    '"',
    '\\',
    '\u0000',
    '😀',
  ],
  ...['"weight_map":{}', '"weight_map":{"a":"n.safetensors"},', '"a":"m.safetensors",'],
];

let state = 20240613;
/** mulberry32. */
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);

const VALID = index({
  a: 'm.safetensors',
  b: 'm.safetensors',
  c: 'n.safetensors',
  'd.weight': 'n.safetensors',
});

function mutate(text: string): string {
  const at = below(text.length);
  const end = at + 1 + below(16);
  const hostile = HOSTILE[below(HOSTILE.length)] ?? '';
  switch (below(4)) {
    case 0:
      return text.slice(0, at) + hostile + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(end);
    case 2:
      return text.slice(0, end) + text.slice(at);
    default: {
      // A whole string replaced, so that the text often stays JSON.
      const strings = [...text.matchAll(/"[^"]*"/g)];
      const chosen = strings[below(strings.length)];
      if (chosen === undefined) return text;
      return text.slice(0, chosen.index) + hostile + text.slice(chosen.index + chosen[0].length);
    }
  }
}

function mutated(): string {
  let text = VALID;
  for (let i = below(4); i > 0; i--) text = mutate(text);
  return text;
}

it(`parses or refuses ${PARSE_ROUNDS} mutated indexes`, () => {
  const outcomes = { accepted: 0, refused: 0 };
  for (let round = 0; round < PARSE_ROUNDS; round++) {
    const text = mutated();
    try {
      for (const file of parseIndex(text, 'i.json').values()) {
        // Inside the folder, whichever separators the platform has.
        expect(basename(file)).toBe(file);
        expect(file).not.toMatch(/[\\/:\0]|^\.\.?$/);
      }
      outcomes.accepted++;
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw new Error(`round ${round}: ${text}`, { cause: error });
      outcomes.refused++;
    }
  }
  expect(outcomes.accepted).toBeGreaterThan(PARSE_ROUNDS / 10);
  expect(outcomes.refused).toBeGreaterThan(PARSE_ROUNDS / 10);
});

it(`opens or refuses ${OPEN_ROUNDS} folders with mutated indexes and shards`, async () => {
  const first = shard({ a: 4, b: 8 });
  const folder = await temporaryFolder({
    'config.json': '{}',
    'm.safetensors': first,
    'n.safetensors': shard({ c: 2, 'd.weight': 3 }),
  });
  const codes = new Map<string, number>();
  for (let round = 0; round < OPEN_ROUNDS; round++) {
    const bytes = Uint8Array.from(first);
    if (random() < 0.5) bytes[below(bytes.length)] = below(256);
    await writeFile(
      join(folder, 'm.safetensors'),
      random() < 0.1 ? bytes.subarray(0, below(bytes.length)) : bytes,
    );
    await writeFile(join(folder, 'model.safetensors.index.json'), mutated());
    let code = 'opened';
    try {
      const { tensors } = await openCheckpoint(folder);
      for (const { path, byteOffset, byteLength } of tensors.values()) {
        expect(dirname(path)).toBe(folder);
        expect(byteOffset + byteLength).toBeLessThanOrEqual((await stat(path)).size);
      }
    } catch (error) {
      if (!(error instanceof CheckpointError)) throw new Error(`round ${round}`, { cause: error });
      code = error.code;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  expect([...codes.keys()]).toEqual(
    expect.arrayContaining(['opened', 'INVALID_INDEX', 'INVALID_SHARD', 'TENSOR_MISSING']),
  );
});
