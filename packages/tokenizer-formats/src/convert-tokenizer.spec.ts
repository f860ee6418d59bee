import { create, toBinary } from '@bufbuild/protobuf';
import { BYTE_ALPHABET } from './byte-alphabet.js';
import { convertTokenizer } from './convert-tokenizer.js';
import { modelProto } from './sentencepiece-schema.js';

function sentencePiece(pieces: object[], specs: object = {}): Uint8Array {
  return toBinary(modelProto, create(modelProto, { pieces, trainerSpec: { modelType: 2 }, ...specs }));
}

/** Ranks of all bytes and then of `tokens`. */
function tiktoken(...tokens: string[]): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte]));
  const lines = [...bytes, ...tokens.map((token) => Buffer.from(token))].map(
    (token, rank) => `${token.toString('base64')} ${rank}\n`,
  );
  return Buffer.from(lines.join(''));
}

const FRAME = [
  { piece: '<unk>', type: 2 },
  { piece: '<s>', type: 3 },
  { piece: '</s>', type: 3 },
];
const qwen = { tokenizerConfig: { tokenizer_class: 'QWenTokenizer' } };

describe('a SentencePiece BPE model', () => {
  it('gets every split of a piece as a merge, best piece first, none from control or byte pieces', () => {
    const { json } = convertTokenizer({
      model: sentencePiece([
        ...FRAME,
        { piece: 'abc', score: -2 },
        { piece: 'bc', score: -3 },
        { piece: 'ab', score: -1 },
        ...['a', 'b', 'c', '<', 's>'].map((piece, i) => ({ piece, score: -10 - i })),
      ]),
    });
    expect(json.model).toMatchObject({
      merges: [
        ['a', 'b'],
        ['ab', 'c'],
        ['a', 'bc'],
        ['b', 'c'],
      ],
    });
  });

  it('keeps a piece named __proto__', () => {
    const { json } = convertTokenizer({
      model: sentencePiece([...FRAME, { piece: '__proto__', score: -1 }]),
    });
    expect(Object.entries(json.model.vocab)).toContainEqual(['__proto__', 3]);
  });

  it('names the special tokens by the ids of the model', () => {
    const { specialTokens } = convertTokenizer({
      model: sentencePiece(FRAME, { trainerSpec: { modelType: 2, bosId: 2, eosId: 1 } }),
    });
    expect(specialTokens).toEqual({ bos_token: '</s>', eos_token: '<s>', unk_token: '<unk>' });
  });

  it('refuses pieces whose splits would take minutes', () => {
    const model = sentencePiece([...FRAME, { piece: 'a'.repeat(100_000), score: -1 }]);
    expect(() => convertTokenizer({ model })).toThrow(expect.objectContaining({ code: 'INVALID_TOKENIZER' }));
  });
});

describe('a tiktoken file', () => {
  it('is known by its content, whatever its name, and gets merges in order of rank', () => {
    const { family, json } = convertTokenizer({ model: tiktoken('bc', 'abc', 'ab') });
    expect(family).toBe('Llama 3');
    expect(json.model).toMatchObject({
      ignore_merges: true,
      merges: [
        ['b', 'c'],
        ['a', 'bc'],
        ['ab', 'c'],
        ['a', 'b'],
      ],
    });
    expect(json.model.vocab).toMatchObject({ '\u0120': 32, abc: 257 });
  });

  it('puts the special tokens of the family behind the ranks', () => {
    const { json, turnEndIds } = convertTokenizer({ model: tiktoken() }, qwen);
    expect(json.added_tokens).toHaveLength(208);
    expect(json.added_tokens[0]).toMatchObject({ id: 256, content: '<|endoftext|>', special: true });
    expect(json.added_tokens.at(-1)).toMatchObject({ id: 463, content: '<|extra_204|>' });
    expect(turnEndIds).toEqual([258, 257]);
  });

  const good = tiktoken('ab').toString();
  it.each([
    ['a line that is no base64', `${good}?? 257\n`],
    ['a line without a rank', `${good}YWJj\n`],
    ['a rank twice', `${good}YWJj 256\n`],
    ['a token twice', `${good}YWI= 257\n`],
    ['a rank past every vocabulary', `${good}YWJj 1048576\n`],
    ['a byte without a rank', good.split('\n').slice(1).join('\n')],
  ])('refuses %s', (_, text) => {
    const model = Buffer.from(text);
    expect(() => convertTokenizer({ model }, qwen)).toThrow(
      expect.objectContaining({ code: 'INVALID_TOKENIZER' }),
    );
  });

  it('refuses a family it has no rules for', () => {
    expect(() =>
      convertTokenizer({ model: tiktoken() }, { tokenizerConfig: { tokenizer_class: 'XyzTokenizer' } }),
    ).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_TOKENIZER',
        message: expect.stringContaining('Known with a tiktoken file: Qwen, GLM-4, Llama 3') as string,
      }),
    );
  });
});

describe('vocab.json and merges.txt', () => {
  const context = { modelConfig: { model_type: 'gpt2' } };

  it('become the model; the end of text is special though nothing declares it', () => {
    const vocab = { a: 0, b: 1, ab: 2, '<|endoftext|>': 3 };
    const { json } = convertTokenizer({ vocab, merges: '#version: 0.2\na b\n' }, context);
    expect(json.model).toMatchObject({ merges: [['a', 'b']] });
    expect(json.added_tokens).toEqual([
      expect.objectContaining({ id: 3, content: '<|endoftext|>', special: true }),
    ]);
  });

  it.each([
    ['no object', [], ''],
    ['no tokens', {}, ''],
    ['an id twice', { a: 0, b: 0 }, ''],
    ['an id that is none', { a: -1 }, ''],
    ['an id past every vocabulary', { a: 2 ** 40 }, ''],
    ['a merge of unknown tokens', { a: 0 }, 'x y\n'],
    ['a merge whose result is no token', { a: 0, b: 1 }, 'a b\n'],
    ['a merge with nothing, which would go in circles', { a: 0, '': 1 }, 'a \na \n x'],
    ['a line of three', { a: 0, b: 1, ab: 2 }, 'a b ab\n'],
  ])('refuse %s', (_, vocab, merges) => {
    expect(() => convertTokenizer({ vocab, merges }, context)).toThrow(
      expect.objectContaining({ code: 'INVALID_TOKENIZER' }),
    );
  });
});

describe('added_tokens_decoder', () => {
  const convert = (decoder: unknown) =>
    convertTokenizer(
      { vocab: { a: 0 }, merges: '' },
      { modelConfig: { model_type: 'qwen2' }, tokenizerConfig: { added_tokens_decoder: decoder } },
    ).json.added_tokens;

  it('adds tokens with their flags', () => {
    expect(convert({ 5: { content: '<x>', special: true }, 4: { content: 'y', lstrip: true } })).toEqual([
      {
        id: 4,
        content: 'y',
        special: false,
        normalized: true,
        lstrip: true,
        rstrip: false,
        single_word: false,
      },
      {
        id: 5,
        content: '<x>',
        special: true,
        normalized: false,
        lstrip: false,
        rstrip: false,
        single_word: false,
      },
    ]);
  });

  it.each([['a list'], [{ x: { content: 'a' } }], [{ 1e12: { content: 'a' } }], [{ 1: {} }]])(
    'refuses %p',
    (decoder) => {
      expect(() => convert(decoder)).toThrow(expect.objectContaining({ code: 'INVALID_TOKENIZER' }));
    },
  );
});

it('writes every byte as another character', () => {
  expect(new Set(BYTE_ALPHABET).size).toBe(256);
  // openai/gpt-2, bytes_to_unicode: space, line break, soft hyphen, and a letter that stands for itself
  expect([32, 10, 0xad, 0x41].map((byte) => BYTE_ALPHABET[byte])).toEqual([
    '\u0120',
    '\u010a',
    '\u0143',
    'A',
  ]);
});
