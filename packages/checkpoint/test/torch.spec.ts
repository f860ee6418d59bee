// Checkpoints in torch files: which are chosen, that they give the tensors of the safetensors they were saved from, and
// the copies of transposed tensors.

import { cp, mkdir, open as openFile, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fixturesFolder } from '@airllm/fixtures';
import { openCheckpoint, type Checkpoint, type StoredTensor } from '../src/index.js';
import { codeOf, index, shard, temporaryFolder, type Files } from './make-checkpoint.js';

const config = '{"model_type":"llama"}';
const caseFolder = (name: string) => join(fixturesFolder, name);
const open = async (files: Files) =>
  openCheckpoint(await temporaryFolder({ 'config.json': config, ...files }));

let cache: string;
let saved: string | undefined;
beforeEach(async () => {
  saved = process.env['AIRLLM_CACHE'];
  cache = await temporaryFolder();
  process.env['AIRLLM_CACHE'] = cache;
});
afterEach(() => {
  if (saved === undefined) delete process.env['AIRLLM_CACHE'];
  else process.env['AIRLLM_CACHE'] = saved;
});

async function bytesOf({ path, byteOffset, byteLength }: StoredTensor): Promise<Buffer> {
  const file = await openFile(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(byteLength), 0, byteLength, byteOffset);
    expect(bytesRead).toBe(byteLength);
    return buffer;
  } finally {
    await file.close();
  }
}

async function expectSameTensors(found: Checkpoint, wanted: Checkpoint): Promise<void> {
  expect([...found.tensors.keys()].sort()).toEqual([...wanted.tensors.keys()].sort());
  for (const tensor of wanted.tensors.values()) {
    const other = found.tensors.get(tensor.name);
    if (other === undefined) throw new Error(tensor.name);
    expect(other).toMatchObject({ name: tensor.name, dtype: tensor.dtype, shape: tensor.shape });
    expect((await bytesOf(other)).equals(await bytesOf(tensor))).toBe(true);
  }
}

const copiesIn = (checkpoint: Checkpoint) =>
  [...checkpoint.tensors.values()].filter(({ path }) => path.startsWith(cache)).map(({ name }) => name);
const cached = () => readdir(join(cache, 'row-major'));

it.each([
  ['llama-bin-single', 0],
  ['llama-bin-legacy', 0],
  ['llama-bin-sharded', 3], // One transposed tensor in each of three shards.
])('%s has the tensors of llama3-gqa, %i of them copied', async (name, copies) => {
  const found = await openCheckpoint(caseFolder(name));
  await expectSameTensors(found, await openCheckpoint(caseFolder('llama3-gqa')));
  expect(copiesIn(found)).toHaveLength(copies);
});

describe('the copies of transposed tensors', () => {
  const name = 'pytorch_model-00001-of-00003.bin';
  async function oneShard(): Promise<string> {
    const folder = await temporaryFolder({ 'config.json': config });
    await cp(join(caseFolder('llama-bin-sharded'), name), join(folder, 'pytorch_model.bin'));
    return folder;
  }

  it('are made once, and again when the file has changed', async () => {
    const folder = await oneShard();
    expect(copiesIn(await openCheckpoint(folder))).toEqual(['model.layers.2.self_attn.q_proj.weight']);
    const [first] = await cached();
    const before = await readFile(join(cache, 'row-major', first ?? ''));
    await openCheckpoint(folder);
    expect(await cached()).toEqual([first]);

    await utimes(join(folder, 'pytorch_model.bin'), 1, 1);
    await openCheckpoint(folder);
    expect(await cached()).toHaveLength(2);
    expect(before.equals(await readFile(join(cache, 'row-major', first ?? '')))).toBe(true);
  });

  it('are made again when they are damaged', async () => {
    const folder = await oneShard();
    const open = async () => {
      const { tensors } = await openCheckpoint(folder);
      const tensor = tensors.get('model.layers.2.self_attn.q_proj.weight');
      if (tensor === undefined) throw new Error('no q_proj');
      return tensor;
    };
    const wanted = await bytesOf(await open());
    for (const damaged of [Buffer.from('x'), shard({ other: 8192 })]) {
      for (const file of await cached()) await writeFile(join(cache, 'row-major', file), damaged);
      expect((await bytesOf(await open())).equals(wanted)).toBe(true);
    }
  });

  it('need a folder that can be written', async () => {
    await rm(cache, { recursive: true });
    await writeFile(cache, 'a file where the folder should be');
    const opening = openCheckpoint(caseFolder('llama-bin-sharded'));
    await expect(opening).rejects.toMatchObject({ code: 'CACHE_FAILED', message: /AIRLLM_CACHE/ });
  });

  it('are not made for a checkpoint that needs none', async () => {
    await openCheckpoint(caseFolder('llama-bin-single'));
    expect(await readdir(cache)).toEqual([]);
  });

  it('of expanded views larger than the file are refused', async () => {
    const content = await readFile(join(caseFolder('llama-bin-sharded'), name));
    // q_proj has shape (64, 64) and strides (1, 64). 255 × 255 elements of two bytes, all the same one, are 130 050
    // bytes; the file has 111 300.
    const patch = (from: string, to: string) => {
      const at = content.indexOf(Buffer.from(from, 'latin1'), content.indexOf('layers.2.self_attn.q_proj'));
      expect(at).toBeGreaterThan(0);
      content.write(to, at, 'latin1');
    };
    patch('K@K@\x86', 'K\xffK\xff\x86');
    patch('K\x01K@\x86', 'K\x00K\x00\x86');
    await expect(open({ 'pytorch_model.bin': content })).rejects.toMatchObject({
      code: 'INVALID_SHARD',
      fields: { bytes: 130_050, fileSize: 111_300 },
    });
    expect(await readdir(cache)).toEqual([]);
  });
});

describe('chosen are', () => {
  const torchFile = () => readFile(join(caseFolder('llama-bin-single'), 'pytorch_model.bin'));
  const fileOf = (checkpoint: Checkpoint) => [
    ...new Set([...checkpoint.tensors.values()].map(({ path }) => path.split(/[\\/]/).at(-1))),
  ];

  it('safetensors when both exist, as a file or by an index', async () => {
    const safetensors = shard({ a: 1 });
    expect(fileOf(await open({ 'model.safetensors': safetensors, 'pytorch_model.bin': 'x' }))).toEqual([
      'model.safetensors',
    ]);
    const files = {
      'model.safetensors.index.json': index({ a: 'm.safetensors' }),
      'm.safetensors': safetensors,
    };
    expect(fileOf(await open({ ...files, 'pytorch_model.bin': 'x' }))).toEqual(['m.safetensors']);
  });

  it('pytorch_model.bin beside an adapter and the state of a trainer', async () => {
    const others = { 'adapter_model.safetensors': shard({}), 'training_args.bin': 'x', 'optimizer.pt': 'x' };
    expect(fileOf(await open({ ...others, 'pytorch_model.bin': await torchFile() }))).toEqual([
      'pytorch_model.bin',
    ]);
  });

  it.each(['consolidated.00.pth', 'model.pt', 'weights.bin'])('%s when it is the only one', async (name) => {
    const checkpoint = await open({ [name]: await torchFile(), 'rng_state.pth': 'x', 'scheduler.pt': 'x' });
    expect(fileOf(checkpoint)).toEqual([name]);
    expect(checkpoint.tensors.size).toBe(30);
  });
});

describe('refused with', () => {
  const indexed = (text: string, more: Files = {}): Files => ({
    'pytorch_model.bin.index.json': text,
    ...more,
  });
  const hostile = Buffer.from('\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R.', 'latin1');
  const cases: [code: string, why: string, files: Files][] = [
    ['AMBIGUOUS_WEIGHTS', 'shards without an index', { 'a-1-of-2.bin': 'x', 'a-2-of-2.bin': 'x' }],
    ['AMBIGUOUS_WEIGHTS', 'two indexes', { 'a.bin.index.json': '', 'b.bin.index.json': '' }],
    ['NO_WEIGHTS', 'the state of a trainer alone', { 'training_args.bin': 'x', 'optimizer.pt': 'x' }],
    ['INVALID_SHARD', 'a file that is no torch file', { 'pytorch_model.bin': 'x' }],
    ['INVALID_SHARD', 'an empty file', { 'pytorch_model.bin': '' }],
    ['INVALID_SHARD', 'a pickle that calls a shell', { 'pytorch_model.bin': hostile }],
    ['INVALID_INDEX', 'an index without weight_map', indexed('{}')],
    ['INVALID_INDEX', 'a shard above the folder', indexed(index({ a: '../m.bin' }))],
    ['INVALID_INDEX', 'an absolute shard', indexed(index({ a: '/tmp/m.bin' }))],
    ['INVALID_INDEX', 'a shard of another format', indexed(index({ a: 'm.safetensors' }))],
    ['SHARD_MISSING', 'a shard that is not there', indexed(index({ a: 'm.bin' }))],
  ];
  it.each(cases)('%s: %s', async (code, _why, files) => {
    expect(await codeOf(open(files))).toBe(code);
  });

  it('the global a pickle wanted, by name', async () => {
    await expect(open({ 'pytorch_model.bin': hostile })).rejects.toMatchObject({
      message: expect.stringContaining('posix.system') as string,
      fields: { global: 'posix.system', file: 'pytorch_model.bin' },
    });
  });

  it('TENSOR_MISSING and DUPLICATE_TENSOR, as with safetensors', async () => {
    const single = await readFile(join(caseFolder('llama-bin-single'), 'pytorch_model.bin'));
    const shards = { 'a.bin': single, 'b.bin': single };
    expect(await codeOf(open(indexed(index({ none: 'a.bin' }), shards)))).toBe('TENSOR_MISSING');
    const both = index({ 'lm_head.weight': 'a.bin', 'model.norm.weight': 'b.bin' });
    expect(await codeOf(open(indexed(both, shards)))).toBe('DUPLICATE_TENSOR');
  });

  it('ABORTED before a copy is written', async () => {
    await mkdir(join(cache, 'row-major'));
    const signal = AbortSignal.abort(new Error('enough'));
    expect(await codeOf(openCheckpoint(caseFolder('llama-bin-sharded'), { signal }))).toBe('ABORTED');
    expect(await cached()).toEqual([]);
  });
});
