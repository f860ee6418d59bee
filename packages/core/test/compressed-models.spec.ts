// Trained models with every tensor packed: that no format costs more perplexity than it has to, and `lossless` nothing.

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoModelFolder } from '@airllm/demo-model';
import { AutoModel } from '../src/index.js';
import { compressCheckpoint, type Compression } from './compress-checkpoint.js';

const here = dirname(fileURLToPath(import.meta.url));
const shared = join(process.env['AIRLLM_SHARED_DATA'] ?? join(here, '../../../../shared/data'), 'models');

/** For a model of stories, not one of its own. */
const STORY =
  'Once upon a time, there was a little girl named Lily. She had a red ball and a small dog. One day, the dog ran ' +
  'to the park with the ball. Lily looked for the dog, but she could not find it. She was very sad and sat under a ' +
  'big tree. Then a boy came and said, "Do not cry. I saw your dog near the pond." They went to the pond together. ' +
  'The dog was there, and the ball was in the water. The boy took a long stick and got the ball. Lily was happy. She ' +
  'gave the boy a cookie, and they all played until the sun went down.';

/** In the words and turns that the embedded model was trained on. */
const PLAIN_STORY =
  'Once upon a time, there lived a brave boy named Tom. He lived in a tall castle. Tom was tired and wanted to sleep. ' +
  'But all night there was a noise: creak, creak, creak. He put a pillow on his head, but he still heard it. ' +
  'Once upon a time, there was a boy named Ben. Ben was very cheerful and lived in a big city. Ben wanted to have a ' +
  'friend. But he was too shy to speak to anyone. The capital of France is Paris.';

interface Case {
  readonly name: string;
  readonly compression: Compression;
  /** Perplexity ÷ that of the original: within this of 1. */
  readonly within: number;
}

/** What 4 bits cost models this small is theirs; a wrong factor costs far more. */
const WRECKED = 0.4;

const CASES: readonly Case[] = [
  { name: '8bit', compression: { format: '8bit' }, within: 0.01 },
  { name: '8bit, projections alone', compression: { format: '8bit', only: /_proj/ }, within: 0.005 },
  { name: 'int8', compression: { format: 'int8' }, within: 0.005 },
  { name: '4bit', compression: { format: '4bit' }, within: WRECKED },
  { name: '4bit, nested', compression: { format: '4bit', doubleQuantization: true }, within: WRECKED },
  { name: 'int4', compression: { format: 'int4' }, within: WRECKED },
];

let temporary: string;
beforeAll(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'airllm-compressed-'));
});
afterAll(() => rm(temporary, { recursive: true }));

async function logitsOf(
  folder: string,
  text: string,
): Promise<{ ids: number[]; logits: Float32Array; vocab: number }> {
  await using model = await AutoModel.fromPretrained(folder);
  const ids = model.tokenizer.encode(text);
  const { data, shape } = await model.logits(ids);
  return { ids, logits: data, vocab: shape[1] };
}

/** exp of the mean of −log p(next token). */
async function perplexityOf(folder: string, text: string): Promise<number> {
  const { ids, logits, vocab } = await logitsOf(folder, text);
  let sum = 0;
  for (let i = 0; i + 1 < ids.length; i++) {
    const row = logits.subarray(i * vocab, (i + 1) * vocab);
    const most = row.reduce((a, b) => Math.max(a, b));
    const total = row.reduce((a, b) => a + Math.exp(b - most), 0);
    sum += Math.log(total) + most - (row[ids[i + 1] ?? 0] ?? 0);
  }
  return Math.exp(sum / (ids.length - 1));
}

const models = [
  {
    name: 'the embedded model',
    text: PLAIN_STORY,
    folder: demoModelFolder,
    bf16: demoModelFolder,
  },
  {
    name: 'stories260K',
    text: STORY,
    folder: join(shared, 'stories260k-hf-f32'),
    bf16: join(shared, 'stories260k-hf-bf16-3shards'),
  },
];

describe.each(models)('$name', ({ name, text, folder, bf16 }) => {
  const run = existsSync(folder) ? it : it.skip;
  if (run === it.skip) console.warn(`${name}: skipped, ${folder} is not there (set AIRLLM_SHARED_DATA)`);

  let original: Promise<number> | undefined;
  run.each(CASES)('keeps its perplexity in $name', async ({ name: format, compression, within }) => {
    const packed = join(temporary, `${name} ${format}`);
    await compressCheckpoint(folder, packed, compression);
    original ??= perplexityOf(folder, text);
    const ratio = (await perplexityOf(packed, text)) / (await original);
    expect(Math.abs(ratio - 1)).toBeLessThan(within);
  });

  run('has the same logits in lossless, bit for bit, in fewer bytes', async () => {
    const packed = join(temporary, `${name} lossless`);
    await compressCheckpoint(bf16, packed, { format: 'lossless' });
    const [expected, found] = [await logitsOf(bf16, text), await logitsOf(packed, text)];
    expect(new Uint32Array(found.logits.buffer)).toEqual(new Uint32Array(expected.logits.buffer));
    const [before, after] = [await AutoModel.plan(bf16), await AutoModel.plan(packed)];
    expect(after.weightBytes / before.weightBytes).toBeLessThan(0.8);
  });
});
