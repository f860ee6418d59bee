// Damaged files: whatever bytes change, the outcome is tensors inside the file or a `TorchPickleError`.

import { stat } from 'node:fs/promises';
import { readRowMajor, readTorchFile, TorchPickleError } from '../src/index.js';
import {
  dict,
  fileOf,
  floats,
  pickle,
  storage,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
} from './make-torch-file.js';

const ROUNDS = 3000;
/** Between the largest reserved by a read and what the process uses anyway; no limit allows a file this small more. */
const MAX_GROWTH_BYTES = 256 * 2 ** 20;

let state = 20250117;
/** mulberry32. */
function random(): number {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const below = (limit: number): number => Math.floor(random() * limit);

const root = (legacy: boolean) => {
  const of = storage({ elements: 6, legacy });
  return pickle(
    dict(
      ...[text('a'), tensor({ storage: of, shape: [2, 3], strides: [1, 2] })],
      ...[text('b'), tuple(tensor({ storage: of, offset: 2, shape: [4], strides: [1] }))],
    ),
  );
};
const data = floats(1, 2, 3, 4, 5, 6);
const VALID = {
  zip: torchZip(root(false), { 0: data }),
  legacy: torchLegacy(root(true), [['0', 6, data]]),
};
/** Bytes that mean something: opcodes, signatures, extremes. */
const HOSTILE = [
  0,
  1,
  0x7f,
  0x80,
  0xff,
  ...Buffer.from('().0125BCGIJKLMNQRTUX]abcdeghijlopqrstu}'),
  0x85,
  0x86,
  0x8a,
  0x8b,
  0x8d,
  0x93,
  0x94,
];

function mutate(original: Buffer): Buffer {
  const content = Buffer.from(original);
  const at = below(content.length);
  switch (below(6)) {
    case 0:
      content[at] = below(256);
      return content;
    case 1:
      content[at] = HOSTILE[below(HOSTILE.length)] ?? 0;
      return content;
    case 2:
      return content.subarray(0, at);
    case 3:
      return Buffer.concat([content.subarray(0, at), content.subarray(at + 1 + below(8))]);
    case 4:
      return Buffer.concat([content.subarray(0, at + below(40)), content.subarray(at)]);
    default:
      content.fill(below(2) * 0xff, at, Math.min(content.length, at + 1 + below(8)));
      return content;
  }
}

it.each(['zip', 'legacy'] as const)(`reads or refuses ${ROUNDS} damaged files: %s`, async (format) => {
  const outcomes = new Map<string, number>();
  const before = process.memoryUsage().rss;
  for (let round = 0; round < ROUNDS; round++) {
    let content = VALID[format];
    for (let i = 1 + below(3); i > 0; i--) content = mutate(content);
    const path = await fileOf(content);
    let outcome = 'read';
    try {
      const { size } = await stat(path);
      const { tensors } = await readTorchFile(path);
      for (const tensor of tensors.values()) {
        expect(tensor.storage.byteOffset + tensor.storage.byteLength).toBeLessThanOrEqual(size);
        expect(tensor.byteOffset).toBeGreaterThanOrEqual(tensor.storage.byteOffset);
        // An expanded view may be larger than the file; its first block is enough.
        for await (const block of readRowMajor(path, tensor, { blockBytes: 64 })) {
          expect(block.length).toBeLessThanOrEqual(64);
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof TorchPickleError)) {
        throw new Error(`round ${round}: ${content.toString('hex')}`, { cause: error });
      }
      outcome = error.code;
    }
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(MAX_GROWTH_BYTES);
  const typical = [
    'read',
    'INVALID_PICKLE',
    'REFUSED_GLOBAL',
    'REFUSED_OPCODE',
    'INVALID_TENSOR',
    'INVALID_STORAGE',
  ];
  expect([...outcomes.keys()]).toEqual(expect.arrayContaining(typical));
  expect(outcomes.get('read')).toBeGreaterThan(ROUNDS / 100);
});
