// Where @huggingface/tokenizers (JavaScript) gives other ids or texts than the Rust library and SentencePiece, and
// what is done about it. Each fix is for one tokenizer object; nothing of the library is changed.

import type { LibraryTokenizer, PipelineStep } from './tokenizer-library.js';

/** GPT-2's word pattern, which a ByteLevel pre-tokenizer with `use_regex` stands for. */
const GPT2_WORDS = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/**
 * The same tokenizer.json in words the library understands rightly.
 *
 * - ByteLevel with `use_regex` and WhitespaceSplit take JavaScript's `\s`, which has U+FEFF and lacks U+0085; the
 *   Split pre-tokenizer knows Unicode's.
 */
export function rephraseTokenizerJson(json: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { ...json, pre_tokenizer: rephraseWords(json['pre_tokenizer'] ?? null) };
}

function rephraseWords(step: unknown): unknown {
  if (!isRecord(step)) return step;
  const { type, pretokenizers } = step;
  if (type === 'Sequence' && Array.isArray(pretokenizers)) {
    return { ...step, pretokenizers: pretokenizers.map(rephraseWords) };
  }
  if (type === 'WhitespaceSplit') return split('\\s+', 'Removed');
  if (type !== 'ByteLevel' || step['use_regex'] === false || step['add_prefix_space'] === true) return step;
  return { type: 'Sequence', pretokenizers: [split(GPT2_WORDS, 'Isolated'), { ...step, use_regex: false }] };
}

function split(pattern: string, behavior: 'Isolated' | 'Removed'): Record<string, unknown> {
  return { type: 'Split', pattern: { Regex: pattern }, behavior, invert: false };
}

/**
 * Replaces steps the library only comes near to:
 *
 * - Precompiled applies NFKC and a fixed list of characters instead of the map in the file (the Rust library reads
 *   the map but replaces whole short grapheme clusters; here it is read as SentencePiece reads it);
 * - ByteFallback drops a byte order mark (U+FEFF) at the start of a run of byte tokens;
 * - Unigram has no byte fallback, and finds the names of byte tokens in texts.
 */
export async function correctTokenizer(
  tokenizer: LibraryTokenizer,
  json: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const step of stepsOf(tokenizer.normalizer, 'normalizers')) {
    const map = step.config?.['precompiled_charsmap'];
    if (step.config?.['type'] === 'Precompiled' && typeof map === 'string' && map !== '') {
      const { compileCharsmap } = await import('@airllm/tokenizer-formats');
      step.normalize = compileCharsmap(Buffer.from(map, 'base64'));
    }
  }
  for (const step of stepsOf(tokenizer.decoder, 'decoders')) {
    if (step.config?.['type'] === 'ByteFallback')
      step.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  }
  const model = json['model'];
  if (isRecord(model) && Array.isArray(model['vocab']) && model['byte_fallback'] === true) {
    addByteFallback(tokenizer);
  }
}

function addByteFallback({ model }: LibraryTokenizer): void {
  const names = Array.from({ length: 256 }, (_, byte) => byteToken(byte));
  for (const name of names) {
    const id = model.tokens_to_ids.get(name);
    if (id !== undefined && model.scores) model.scores[id] = -Infinity;
  }
  const encode = model.encode.bind(model);
  const encoder = new TextEncoder();
  model.encode = (words) =>
    encode(words).flatMap((token) => {
      if (model.tokens_to_ids.has(token)) return [token];
      const bytes = Array.from(encoder.encode(token), byteToken);
      return bytes.every((byte) => model.tokens_to_ids.has(byte)) ? bytes : [token];
    });
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

function stepsOf(step: PipelineStep | null, key: 'normalizers' | 'decoders'): PipelineStep[] {
  if (step === null) return [];
  return [step, ...(step[key] ?? []).flatMap((inner) => stepsOf(inner, key))];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
