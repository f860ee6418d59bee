// Published vocabularies in the form that llama.cpp's converter gives them, from the files in the shared test data.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { convertTokenizer, parseSentencePiece } from '@airllm/tokenizer-formats';
import { Type, type Pair } from './write-gguf.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
export const sharedData = process.env['AIRLLM_SHARED_DATA'] ?? join(root, '..', 'shared', 'data');
export const hasSharedData = existsSync(sharedData);
if (!hasSharedData) console.warn(`skipped: no shared test data at ${sharedData}`);

const read = (...path: string[]): Buffer => readFileSync(join(sharedData, ...path));

export function sentencePieceVocabulary(...path: string[]): Pair[] {
  const { pieces, bosId, eosId, unkId, addDummyPrefix } = parseSentencePiece(read(...path));
  return [
    ['tokenizer.ggml.model', [Type.STRING], 'llama'],
    ['tokenizer.ggml.pre', [Type.STRING], 'default'],
    ['tokenizer.ggml.tokens', [Type.ARRAY, Type.STRING], pieces.map(({ piece }) => piece)],
    ['tokenizer.ggml.scores', [Type.ARRAY, Type.F32], pieces.map(({ score }) => score)],
    ['tokenizer.ggml.token_type', [Type.ARRAY, Type.I32], pieces.map(({ type }) => type)],
    ['tokenizer.ggml.bos_token_id', [Type.U32], bosId],
    ['tokenizer.ggml.eos_token_id', [Type.U32], eosId],
    ['tokenizer.ggml.unknown_token_id', [Type.U32], unkId],
    ['tokenizer.ggml.add_space_prefix', [Type.BOOL], addDummyPrefix],
  ];
}

export function llama3Vocabulary(): Pair[] {
  const tokenizerConfig = { tokenizer_class: 'PreTrainedTokenizerFast' };
  const { json } = convertTokenizer(
    { model: read('tokenizers', 'llama3', 'tokenizer.model') },
    { id: 'llama3', tokenizerConfig, modelConfig: { model_type: 'llama' } },
  );
  const tokens: string[] = [];
  const kinds: number[] = [];
  if (json.model.type !== 'BPE') throw new Error('expected BPE');
  for (const [token, id] of Object.entries(json.model.vocab)) [tokens[id], kinds[id]] = [token, 1];
  for (const { id, content } of json.added_tokens) [tokens[id], kinds[id]] = [content, 3];
  return byteLevel('llama-bpe', { tokens, kinds, merges: json.model.merges.map((pair) => pair.join(' ')) });
}

export function vocabMergesVocabulary(folder: string, pre: string): Pair[] {
  const vocab = JSON.parse(read('tokenizers', folder, 'vocab.json').toString()) as Record<string, number>;
  const tokens: string[] = [];
  for (const [token, id] of Object.entries(vocab)) tokens[id] = token;
  const lines = read('tokenizers', folder, 'merges.txt').toString().split('\n');
  const merges = lines.filter((line) => line !== '' && !line.startsWith('#version'));
  return byteLevel(pre, { tokens, kinds: tokens.map(() => 1), merges });
}

function byteLevel(
  pre: string,
  { tokens, kinds, merges }: { tokens: string[]; kinds: number[]; merges: string[] },
): Pair[] {
  return [
    ['tokenizer.ggml.model', [Type.STRING], 'gpt2'],
    ['tokenizer.ggml.pre', [Type.STRING], pre],
    ['tokenizer.ggml.tokens', [Type.ARRAY, Type.STRING], tokens],
    ['tokenizer.ggml.token_type', [Type.ARRAY, Type.I32], kinds],
    ['tokenizer.ggml.merges', [Type.ARRAY, Type.STRING], merges],
  ];
}

/** Texts and expected ids of llama.cpp's tokenizer tests. */
export function ggmlCases(name: string): { text: string; ids: number[] }[] {
  const texts = ggmlTexts(name);
  const lines = read('ggml-vocab', `ggml-vocab-${name}.gguf.out`).toString().split('\n');
  return texts.map((text, i) => ({ text, ids: (lines[i]?.match(/\d+/g) ?? []).map(Number) }));
}

export function ggmlTexts(name: string): string[] {
  // Every text, the last one too, is followed by the separator.
  const texts = read('ggml-vocab', `ggml-vocab-${name}.gguf.inp`).toString().split('\n__ggml_vocab_test__\n');
  return texts.slice(0, -1);
}
