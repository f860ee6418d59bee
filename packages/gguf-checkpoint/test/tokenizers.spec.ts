// Token ids against llama.cpp's own test cases, for vocabularies that go through a GGUF file.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { readHeader } from '../src/read-header.js';
import { tokenizerFiles } from '../src/tokenizer/tokenizer-files.js';
import {
  ggmlCases,
  ggmlTexts,
  hasSharedData,
  llama3Vocabulary,
  sentencePieceVocabulary,
  sharedData,
  vocabMergesVocabulary,
} from './vocabularies.js';
import { writeGguf, type Pair } from './write-gguf.js';

const withData = hasSharedData ? describe : describe.skip;
const folder = mkdtempSync(join(tmpdir(), 'gguf-tokenizers-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function tokenizerOf(path: string) {
  const { metadata } = await readHeader(path);
  const files = tokenizerFiles(metadata, 'any');
  return new Tokenizer(files['tokenizer.json']?.(), files['tokenizer_config.json']?.());
}

const throughFile = (pairs: Pair[]) => tokenizerOf(writeGguf(join(folder, 'vocabulary.gguf'), { pairs }));

withData('published vocabularies', () => {
  it.each([
    ['llama-spm', () => sentencePieceVocabulary('tokenizers', 'llama2', 'tokenizer.model')],
    ['phi-3', () => sentencePieceVocabulary('tokenizers', 'llama2', 'tokenizer.model')],
    ['llama-bpe', llama3Vocabulary],
    ['gpt-2', () => vocabMergesVocabulary('gpt2', 'gpt-2')],
    ['qwen2', () => vocabMergesVocabulary('qwen2', 'qwen2')],
  ])('%s: every case of llama.cpp, there and back', async (name, vocabulary) => {
    const tokenizer = await throughFile(vocabulary());
    for (const { text, ids } of ggmlCases(name)) {
      expect([text, tokenizer.encode(text, { add_special_tokens: false }).ids]).toEqual([text, ids]);
      const decoded = ids.length === 0 ? '' : tokenizer.decode(ids, { clean_up_tokenization_spaces: false });
      expect(decoded).toBe(text);
    }
  });

  // Expected ids: llama.cpp on the same vocabulary (fixtures/make-token-ids.mjs).
  const expected = JSON.parse(
    readFileSync(new URL('../fixtures/token-ids.json', import.meta.url), 'utf8'),
  ) as Record<string, number[][]>;

  it.each(Object.keys(expected))('%s: as llama.cpp', async (name) => {
    const tokenizer =
      name === 'baichuan'
        ? await tokenizerOf(join(sharedData, 'ggml-vocab', 'ggml-vocab-baichuan.gguf'))
        : await throughFile(vocabMergesVocabulary('gpt2', name));
    ggmlTexts('llama-bpe').forEach((text, i) => {
      const ids = tokenizer.encode(text, { add_special_tokens: false }).ids as number[];
      expect([text, ids]).toEqual([text, expected[name]?.[i]]);
    });
  });
});
