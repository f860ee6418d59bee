// Streams of real tokenizers: the pieces join to the whole, and no half character is ever shown.

import { StreamDecoder } from '@airllm/generate';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from './load-tokenizer.js';

const DATA =
  process.env['AIRLLM_SHARED_DATA'] ?? fileURLToPath(new URL('../../../../../shared/data', import.meta.url));
const FOLDERS = {
  'stories260K (SentencePiece)': join(DATA, 'models/stories260k-hf-f32'),
  'GPT-2 (byte-level BPE)': join(DATA, 'tokenizers/gpt2'),
  'the demo model (byte-level BPE)': fileURLToPath(new URL('../../../demo-model/model', import.meta.url)),
};
const FRAGMENTS = [
  'Once upon a time', ' ', '   ', '\n\n', '😀', '👩‍👩‍👧', '🏳️‍🌈', '漢字', 'かな', '한국어', 'e\u0301', 'a\u0308\u0323', 'नमस्ते', 'שלום',
  '\u200b', '\uFEFF', '…', ' don\'t .', '{"a": [1, 2]}', '𝔘', '\t', '<s>', '▁',
]; // prettier-ignore

/** Numerical Recipes' 32-bit linear congruential generator: enough to vary texts, the same every time. */
function pickFrom<T>(seed: number): (list: readonly T[]) => T {
  let state = seed >>> 0;
  return (list) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const item = list[Math.floor((state / 2 ** 32) * list.length)];
    if (item === undefined) throw new Error('empty list');
    return item;
  };
}

describe.each(Object.entries(FOLDERS))('%s', (_, folder) => {
  if (!existsSync(folder)) {
    console.warn(`stream decoding: skipped, ${folder} is not there (set AIRLLM_SHARED_DATA)`);
    it.skip('data absent', () => undefined);
    return;
  }
  const load = () =>
    loadTokenizer({
      id: folder,
      readText: () => Promise.resolve(undefined),
      readJson: (name) => {
        const path = join(folder, name);
        return Promise.resolve(
          existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as unknown) : undefined,
        );
      },
    });

  it('joins to the decoded whole, with no replacement character of its own', async () => {
    const tokenizer = await load();
    const pick = pickFrom<string>(1);
    for (let round = 0; round < 200; round++) {
      const text = Array.from({ length: 12 }, () => pick(FRAGMENTS)).join('');
      const ids = tokenizer.encode(text);
      const stream = new StreamDecoder(tokenizer);
      const pieces = [...ids.map((id) => stream.push(id)), stream.flush()];
      const whole = tokenizer.decode(ids);
      expect(pieces.join('')).toBe(whole);
      if (!whole.includes('\uFFFD')) expect(pieces.filter((piece) => piece.includes('\uFFFD'))).toEqual([]);
    }
  });
});
