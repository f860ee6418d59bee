// What llama.cpp's Python package says about the golden cases: fixtures/expected.json, written by fixtures/make.py.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Pair } from './write-gguf.js';

export const fixtures = fileURLToPath(new URL('../fixtures/', import.meta.url));

interface Expected {
  readonly types: Readonly<Record<string, { id: number; blockElements: number; blockBytes: number }>>;
  /** By file: what transformers continues each prompt with, on the weights that the blocks stand for. */
  readonly quantizedGreedy: Readonly<
    Record<string, readonly { input_ids: readonly number[]; greedy: readonly number[] }[]>
  >;
  /** `llama-q4_k_m.gguf`: transformers on the weights its blocks stand for; logits of the prompt's last token. */
  readonly q4KM: readonly {
    readonly input_ids: readonly number[];
    readonly greedy: readonly number[];
    readonly logits: readonly number[];
  }[];
  readonly cases: Readonly<
    Record<
      string,
      {
        readonly metadata: readonly Pair[];
        /** By GGUF name: row-major shape, and the Hugging Face tensors behind it. */
        readonly tensors: Readonly<Record<string, { shape: readonly number[]; from: readonly string[] }>>;
        readonly values: Readonly<Record<string, readonly number[]>>;
      }
    >
  >;
}

export const expected = JSON.parse(readFileSync(`${fixtures}expected.json`, 'utf8')) as Expected;
