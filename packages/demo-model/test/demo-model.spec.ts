// The embedded checkpoints are what their card says: complete folders, the stated number of parameters, and a
// golden file that speaks of the same tokenizer.
import { open, readFile, stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { demoModelFolder, draftModelFolder } from '../index.js';

type StoredTensor = { dtype: string; shape: number[] };

async function readHeader(folder: string): Promise<{ tensors: StoredTensor[]; byteLength: number }> {
  await using file = await open(join(folder, 'model.safetensors'));
  const prefix = Buffer.alloc(8);
  await file.read(prefix, 0, 8, 0);
  const headerBytes = Number(prefix.readBigUInt64LE());
  const header = Buffer.alloc(headerBytes);
  await file.read(header, 0, headerBytes, 8);
  const entries = Object.entries(JSON.parse(header.toString('utf8')) as Record<string, StoredTensor>);
  const tensors = entries.filter(([name]) => name !== '__metadata__').map(([, tensor]) => tensor);
  return { tensors, byteLength: (await file.stat()).size - 8 - headerBytes };
}

const countElements = (shape: number[]): number => shape.reduce((product, size) => product * size, 1);

// Parameters by the shapes in MODEL_CARD.md: embedding (tied head), per layer q, k, v, o, three MLP matrices and two
// norms, and the last norm. vocab 2048 · hidden + layers · (…) + hidden.
const parameters = (hidden: number, layers: number, kvWidth: number, intermediate: number): number =>
  2048 * hidden +
  layers * (2 * hidden * hidden + 2 * hidden * kvWidth + 3 * hidden * intermediate + 2 * hidden) +
  hidden;

describe.each([
  { name: 'model', folder: demoModelFolder, card: 2_754_816, shapes: parameters(256, 4, 2 * 32, 512) },
  { name: 'draft', folder: draftModelFolder, card: 393_696, shapes: parameters(96, 2, 1 * 32, 256) },
])('$name', ({ folder, card, shapes }) => {
  it('is an absolute folder with everything a checkpoint needs', async () => {
    expect(isAbsolute(folder)).toBe(true);
    for (const file of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json']) {
      expect((await stat(join(folder, file))).size).toBeGreaterThan(0);
    }
  });

  it('stores as many bf16 parameters as the card states', async () => {
    const { tensors, byteLength } = await readHeader(folder);
    const elements = tensors.reduce((sum, tensor) => sum + countElements(tensor.shape), 0);
    expect(elements).toBe(card);
    expect(shapes).toBe(card);
    expect(byteLength).toBe(card * 2);
    expect(new Set(tensors.map((tensor) => tensor.dtype))).toEqual(new Set(['BF16']));
  });
});

it('shares one tokenizer between model and draft', async () => {
  const [model, draft] = await Promise.all(
    [demoModelFolder, draftModelFolder].map((folder) => readFile(join(folder, 'tokenizer.json'), 'utf8')),
  );
  expect(draft).toBe(model);
});

it('has a golden continuation that names Washington', async () => {
  const golden = JSON.parse(await readFile(join(demoModelFolder, '..', 'golden.json'), 'utf8')) as {
    cases: { prompt: string; text: string }[];
  };
  const capital = golden.cases.find((entry) => entry.prompt === 'What is the capital of United States?');
  expect(capital?.text).toContain('Washington');
});
