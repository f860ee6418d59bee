// Every tokenizer whose files lie in the shared data against every published vector for it: encode and decode.
// The table of what passed and what was left out is printed.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSharedTokenizer, SHARED_DATA as DATA, type SharedTokenizerName } from './tokenizer-sources.js';

const totals = new Map<string, { passed: number; total: number }>();

interface Case {
  text: string;
  ids: readonly number[];
  /** Default: the text. Special tokens are shown. */
  decoded?: string;
  addSpecialTokens?: boolean;
}

/** Checks all cases, counts them, and fails with those that differ. */
async function check(name: SharedTokenizerName, vectors: string, cases: readonly Case[]): Promise<void> {
  const tokenizer = await openSharedTokenizer(name);
  const failures: object[] = [];
  for (const { text, ids, decoded = text, addSpecialTokens = false } of cases) {
    const actual = tokenizer.encode(text, { addSpecialTokens });
    const back = tokenizer.decode(ids, { skipSpecialTokens: false });
    const same = JSON.stringify(actual) === JSON.stringify(ids);
    if (!same || back !== decoded) failures.push({ text, ids, actual, decoded, back });
  }
  totals.set(`${name} ← ${vectors}`, { passed: cases.length - failures.length, total: cases.length });
  expect(cases.length).toBeGreaterThan(0);
  expect(failures).toEqual([]);
}

function readData(path: string): unknown {
  return JSON.parse(readFileSync(join(DATA, path), 'utf8'));
}

const present = existsSync(join(DATA, 'tokenizers'));
if (!present) console.warn(`tokenizer vectors: skipped, ${DATA} is not there (set AIRLLM_SHARED_DATA)`);
const suite = present ? describe : describe.skip;

afterAll(() => {
  const lines = [...totals].map(([name, { passed, total }]) => `  ${passed}/${total}  ${name}`);
  process.stdout.write(`tokenizer vectors, encode and decode:\n${lines.join('\n')}\n`);
});

suite('llama.cpp (ggml-vocab .inp and .out)', () => {
  /** Vectors without their vocabulary in the shared data are named in the summary. */
  const files: Record<string, SharedTokenizerName[]> = {
    'gpt-2': ['GPT-2 (tokenizer.json)', 'GPT-2'],
    'llama-spm': ['Llama 2'],
    // Phi-3 has the vocabulary of Llama 2.
    'phi-3': ['Llama 2'],
    'llama-bpe': ['Llama 3'],
    // Qwen 1 and Qwen2 have one vocabulary in two formats.
    qwen2: ['Qwen2', 'Qwen 1'],
  };
  const stored = present
    ? readdirSync(join(DATA, 'ggml-vocab')).flatMap(
        (name) => /^ggml-vocab-(.*)\.gguf\.inp$/.exec(name)?.[1] ?? [],
      )
    : [];
  const left = stored.filter((name) => !(name in files));
  if (left.length > 0) {
    console.warn(
      `tokenizer vectors: ggml-vocab ${left.join(', ')} skipped: their vocabularies are not in the shared data`,
    );
  }
  it.each(Object.entries(files).flatMap(([vocab, names]) => names.map((name) => [vocab, name] as const)))(
    '%s with %s',
    async (vocab, name) => {
      const path = join(DATA, `ggml-vocab/ggml-vocab-${vocab}.gguf`);
      const texts = readFileSync(`${path}.inp`, 'utf8').split('\n__ggml_vocab_test__\n');
      const lines = readFileSync(`${path}.out`, 'utf8').split('\n');
      expect(texts.length).toBeGreaterThan(40);
      const cases = texts.map((text, i) => ({
        text,
        ids: (lines[i] ?? '').trim().split(/\s+/).filter(Boolean).map(Number),
      }));
      await check(name, `ggml-vocab-${vocab}`, cases);
    },
  );
});

suite('transformers.js (expected by the Python tokenizers)', () => {
  type Group = Record<string, { text: string; ids: number[]; decoded?: string }>;
  /** `cleanUp`: the expected text went through `clean_up_tokenization_spaces`, which this package leaves out. */
  const groups: { file: string; group: string; names: SharedTokenizerName[]; cleanUp?: true }[] = [
    { file: 'gpt2', group: 'Xenova/gpt2', names: ['GPT-2 (tokenizer.json)', 'GPT-2'], cleanUp: true },
    { file: 'gpt2', group: 'openai-community/gpt2', names: ['GPT-2 (tokenizer.json)', 'GPT-2'], cleanUp: true },
    { file: 'llama', group: 'Xenova/llama-tokenizer', names: ['Llama 2'] },
    { file: 'llama', group: 'Xenova/llama3-tokenizer', names: ['Llama 3'], cleanUp: true },
    { file: 'llama', group: 'Xenova/llama3-tokenizer-new', names: ['Llama 3'], cleanUp: true },
    { file: 'qwen2', group: 'Xenova/Qwen1.5-0.5B-Chat', names: ['Qwen2', 'Qwen 1'] },
    { file: 't5', group: 'Xenova/t5-small', names: ['T5'], cleanUp: true },
    { file: 't5', group: 'google-t5/t5-small', names: ['T5'], cleanUp: true },
  ]; // prettier-ignore

  const used = new Set(groups.map(({ group }) => group));
  const left = present
    ? readdirSync(join(DATA, 'tokenizer-vectors/transformers.js')).flatMap((file) =>
        Object.keys(readData(`tokenizer-vectors/transformers.js/${file}`) as object),
      )
    : [];
  console.warn(
    `tokenizer vectors: transformers.js ${left.filter((group) => !used.has(group)).join(', ')} skipped: their ` +
      'tokenizer files are not in the shared data',
  );

  it.each(groups.flatMap(({ names, ...group }) => names.map((name) => ({ ...group, name }))))(
    '$group with $name',
    async ({ file, group, name, cleanUp }) => {
      const vectors = (readData(`tokenizer-vectors/transformers.js/${file}.json`) as Record<string, Group>)[
        group
      ];
      const tokenizer = await openSharedTokenizer(name);
      const cases = Object.values(vectors ?? {}).map(({ text, ids, decoded }) => {
        const back = tokenizer.decode(ids, { skipSpecialTokens: false });
        const framed = tokenizer.encode('').length > 0 && ids[0] === tokenizer.encode('')[0];
        // The clean-up of the expected text is undone by taking ours where both are equal after it.
        const expected = decoded ?? text;
        return {
          text,
          ids,
          decoded: cleanUp && cleaned(back) === expected ? back : expected,
          addSpecialTokens: framed || file === 't5',
        };
      });
      await check(name, group, cases);
    },
  );
});

/** transformers' clean_up_tokenization: six spellings without the space before them. */
function cleaned(text: string): string {
  return text
    .replace(/ ([.?!,])/g, '$1')
    .replace(/ ' /g, "'")
    .replace(/ (n't|'m|'s|'ve|'re)/g, '$1');
}

suite('others', () => {
  it('llama2.ts with stories260K', async () => {
    const [group] = readData('tokenizer-vectors/llama2.ts/vectors.json') as {
      cases: { text: string; ids: number[] }[];
    }[];
    await check('stories260K', 'llama2.ts', group?.cases ?? []);
  });

  it('llama2.ts with Llama 2', async () => {
    const [, group] = readData('tokenizer-vectors/llama2.ts/vectors.json') as {
      cases: { text: string; ids: number[]; bos?: boolean; eos?: boolean }[];
    }[];
    const cases = (group?.cases ?? []).map(({ text, ids, bos = false, eos = false }) => ({
      text: eos ? `${text}</s>` : text,
      ids,
      decoded: `${bos ? '<s> ' : ''}${text}${eos ? '</s>' : ''}`,
      addSpecialTokens: bos,
    }));
    await check('Llama 2', 'llama2.ts', cases);
  });

  it('llama-models with Llama 3: a text framed by marks, and a message in the chat format', async () => {
    const { cases } = readData('tokenizer-vectors/llama-models/vectors.json') as {
      cases: { text?: string; message?: { role: string; content: string }; ids: number[] }[];
    };
    const name = 'Llama 3';
    const texts = cases.flatMap(({ text, ids }) => (text === undefined ? [] : [{ text: `${text}<|end_of_text|>`, ids, decoded: `<|begin_of_text|>${text}<|end_of_text|>`, addSpecialTokens: true }])); // prettier-ignore
    await check(name, 'llama-models', texts);
    const tokenizer = await openSharedTokenizer(name);
    const chats = cases.flatMap(({ message, ids }) => (message === undefined ? [] : [{ message, ids }]));
    expect(chats.length).toBeGreaterThan(0);
    for (const { message, ids } of chats) {
      expect(tokenizer.encodeChat([message], { addGenerationPrompt: false })).toEqual([128000, ...ids]);
    }
  });

  it.each([
    ['v1', 'Mistral v1'],
    ['v2', 'Mistral v2'],
    ['v3', 'Mistral v3'],
  ] as const)('mistral-common %s', async (version, name) => {
    const folder = join(DATA, 'tokenizer-vectors/mistral-common');
    const cases = readdirSync(folder).flatMap((sample) => {
      const text = join(folder, sample, `text_${version}.txt`);
      if (!existsSync(text)) return [];
      const { tokens } = readData(`tokenizer-vectors/mistral-common/${sample}/tokens_${version}.json`) as {
        tokens: number[];
      };
      return [fromPieces(readFileSync(text, 'utf8'), tokens)];
    });
    await check(name, `mistral-common ${version}`, cases);
  });
});

/**
 * mistral-common shows pieces: U+2581 for a space, <0x0A> for a line break, and the space that SentencePiece puts
 * before the text after each mark. That one is no part of the text, which is encoded without it and shows it.
 */
function fromPieces(pieces: string, ids: readonly number[]): Case {
  const shown = pieces.replaceAll('<0x0A>', '\n').replaceAll('\u2581', ' ');
  const marks = /(<s>|<\/s>|\[\/?(?:INST|TOOL_CALLS|AVAILABLE_TOOLS|TOOL_RESULTS)\]) /g;
  const isV1 = pieces.includes('\u2581[INST]');
  const text = isV1 ? shown.replace(/(<s>|<\/s>) /g, '$1') : shown.replace(marks, '$1');
  return { text, ids, decoded: shown };
}
