// Sources and targets that are not what they should be: each a typed error that names what is wrong.

import { chmod, cp, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '@airllm/checkpoint';
import { fixturesFolder } from '@airllm/fixtures';
import { verifyShards, type ShardOptions } from '../src/index.js';
import { errorOf, hashFolder, makeModel, shardModel, temporaryFolder } from './make-model.js';

const TENSOR = 'model.layers.1.mlp.up_proj.weight';

/** Sets one value of a tensor to NaN (bf16 0x7fc0). */
async function poison(model: string): Promise<void> {
  const tensor = (await openCheckpoint(model)).tensors.get(TENSOR);
  if (!tensor) throw new Error(`no ${TENSOR}`);
  const bytes = await readFile(tensor.path);
  bytes.set([0xc0, 0x7f], tensor.byteOffset + 2 * 77);
  await writeFile(tensor.path, bytes);
}

async function weightFile(model: string): Promise<string> {
  return join(model, (await readdir(model)).find((name) => name.endsWith('.safetensors')) ?? '');
}

describe('NaN in a weight', () => {
  it('is refused with the tensor and the element, and leaves nothing half written', async () => {
    const model = await makeModel();
    await poison(model);
    const error = await errorOf(shardModel(model, { format: '8bit' }));
    expect(error).toMatchObject({ code: 'NON_FINITE', fields: { tensor: TENSOR, element: 77 } });
    const names = await readdir(join(model, 'airllm.8bit'));
    expect(names.filter((name) => name.endsWith('.partial'))).toEqual([]);
    expect(names).not.toContain('airllm-manifest.json');
  });

  it('is kept where that is asked for, and where bytes stay as they are', async () => {
    const model = await makeModel();
    await poison(model);
    const { manifest } = await shardModel(model, { format: '8bit', nonFinite: 'keep' });
    expect(manifest.files).toHaveLength(5);
    await expect(shardModel(model)).resolves.toBeDefined();
    await expect(shardModel(model, { format: 'lossless', nonFinite: 'keep' })).resolves.toBeDefined();
  });
});

describe('a source that changed since the manifest', () => {
  it.each<[string, (path: string) => Promise<void>]>([
    ['its time of change', (path) => utimes(path, new Date(), new Date(1e12))],
    [
      'its size',
      async (path) => {
        const bytes = await readFile(path);
        // One byte of padding more in the header: the same tensors, eight bytes later.
        const length = Number(bytes.readBigUInt64LE());
        const header = Buffer.concat([bytes.subarray(8, 8 + length), Buffer.alloc(8, ' ')]);
        const prefix = Buffer.alloc(8);
        prefix.writeBigUInt64LE(BigInt(header.length));
        await writeFile(path, Buffer.concat([prefix, header, bytes.subarray(8 + length)]));
      },
    ],
  ])('is refused by %s, and sharded again where that is asked for', async (_what, change) => {
    const model = await makeModel();
    const { folder } = await shardModel(model, { format: '8bit' });
    const before = await hashFolder(folder);
    await change(await weightFile(model));
    const error = await errorOf(shardModel(model, { format: '8bit' }));
    expect(error.code).toBe('SOURCE_CHANGED');
    expect(await hashFolder(folder)).toEqual(before);
    await shardModel(model, { format: '8bit', replace: true });
    expect(await verifyShards(folder)).toEqual([]);
    const { 'airllm-manifest.json': _before, ...weightsBefore } = before;
    const { 'airllm-manifest.json': _after, ...weightsAfter } = await hashFolder(folder);
    expect(weightsAfter).toEqual(weightsBefore);
    await expect(shardModel(model, { format: '8bit' })).resolves.toBeDefined();
  });

  it('is refused by its config', async () => {
    const model = await makeModel();
    await shardModel(model);
    const config = join(model, 'config.json');
    await writeFile(config, `${await readFile(config, 'utf8')} `);
    expect((await errorOf(shardModel(model))).code).toBe('SOURCE_CHANGED');
    await expect(shardModel(model, { replace: true })).resolves.toBeDefined();
  });

  it('between an interruption and the next run: what was made from it is made again', async () => {
    const model = await makeModel();
    const abort = new AbortController();
    const onProgress = ({ filesDone }: { filesDone: number }): void => void (filesDone >= 2 && abort.abort());
    expect((await errorOf(shardModel(model, { signal: abort.signal, onProgress }))).code).toBe('ABORTED');
    const path = await weightFile(model);
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { folder } = await shardModel(model);
    const expected = await shardModel(model, { baseFolder: await temporaryFolder() });
    expect((await hashFolder(folder))['embedding.safetensors']).toBe(
      (await hashFolder(expected.folder))['embedding.safetensors'],
    );
    expect(await verifyShards(folder)).toEqual([]);
  });
});

describe('a source dtype that cannot be quantized', () => {
  it('is refused by name where nothing else is there', async () => {
    const base = await temporaryFolder();
    const error = await errorOf(
      shardModel(join(fixturesFolder, 'llama-fp8'), { baseFolder: base, format: '4bit' }),
    );
    expect(error).toMatchObject({ code: 'UNSUPPORTED_DTYPE', fields: { dtype: 'F8_E4M3' } });
    expect(await readdir(base)).toEqual([]);
  });

  it('stays as it is without a format', async () => {
    const model = join(fixturesFolder, 'llama-fp8');
    const { manifest } = await shardModel(model, { baseFolder: await temporaryFolder() });
    const layer = manifest.files.find(({ name }) => name === 'layer-0.safetensors');
    // Scales lie beside their weights.
    const names = layer?.tensors.map(({ name }) => name) ?? [];
    const weight = names.indexOf('model.layers.0.mlp.down_proj.weight');
    expect(names[weight + 1]).toBe('model.layers.0.mlp.down_proj.weight_scale_inv');
  });
});

describe('a target', () => {
  it('that cannot be written', async () => {
    const model = await makeModel();
    const base = await temporaryFolder();
    const canDeny = process.getuid?.() !== 0 && process.platform !== 'win32';
    if (canDeny) await chmod(base, 0o500);
    // For root, a path that cannot become a folder.
    else await writeFile(join(base, 'file'), '');
    const error = await errorOf(shardModel(model, { baseFolder: canDeny ? base : join(base, 'file') }));
    expect(error.code).toBe(canDeny ? 'TARGET_READ_ONLY' : 'WRITE_FAILED');
    if (canDeny) await chmod(base, 0o700);
  });

  it('that holds shards of another model', async () => {
    const base = await temporaryFolder();
    await shardModel(await makeModel(), { baseFolder: base, layout: 'airllm' });
    const other = join(await temporaryFolder(), 'other');
    await rename(await makeModel({ seed: 2 }), other);
    const error = await errorOf(shardModel(other, { baseFolder: base, layout: 'airllm' }));
    expect(error.code).toBe('TARGET_OCCUPIED');
    expect(error.message).toContain('other');
  });
});

it.each<[ShardOptions, string]>([
  [{ format: '3bit' as '4bit' }, 'format'],
  [{ format: '8bit', doubleQuantization: true }, 'doubleQuantization'],
  [{ format: 'int8', layout: 'airllm' }, 'format'],
  [{ format: 'none', quantize: ['head'] }, 'quantize'],
  [{ format: '4bit', quantize: ['norms' as 'head'] }, 'quantize'],
])('refuses %j, naming %s', async (options, option) => {
  const model = await makeModel();
  expect(await errorOf(shardModel(model, options))).toMatchObject({
    code: 'INVALID_OPTION',
    fields: { option },
  });
});

it('an abort stops between two reads, and the next run goes on', async () => {
  const model = await makeModel({ layers: 6 });
  const undisturbed = await shardModel(model, { baseFolder: await temporaryFolder(), format: '4bit' });
  const abort = new AbortController();
  const base = await temporaryFolder();
  const error = await errorOf(
    shardModel(model, {
      ...{ baseFolder: base, format: '4bit', signal: abort.signal },
      onProgress: ({ filesDone }) => void (filesDone >= 3 && abort.abort(new Error('enough'))),
    }),
  );
  expect(error.code).toBe('ABORTED');
  const { folder } = await shardModel(model, { baseFolder: base, format: '4bit' });
  expect(await hashFolder(folder)).toEqual(await hashFolder(undisturbed.folder));
});

it('a journal whose last line was cut, or is zeros, is used up to there', async () => {
  const model = await makeModel();
  const abort = new AbortController();
  await errorOf(
    shardModel(model, {
      ...{ signal: abort.signal, onProgress: ({ filesDone }) => void (filesDone >= 2 && abort.abort()) },
    }),
  );
  const folder = join(model, 'airllm.plain');
  const journal = join(folder, '.airllm-journal.jsonl');
  const text = await readFile(journal, 'utf8');
  for (const damaged of [text.slice(0, -20), `${text}\0\0\0\0\n`]) {
    const copy = join(await temporaryFolder(), 'model');
    await cp(model, copy, { recursive: true, preserveTimestamps: true });
    await writeFile(join(copy, 'airllm.plain', '.airllm-journal.jsonl'), damaged);
    const resumed = await shardModel(copy);
    expect(await verifyShards(resumed.folder)).toEqual([]);
  }
});
