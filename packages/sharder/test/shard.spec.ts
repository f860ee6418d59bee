// What shards hold: the same bytes, or those of the encoder, in a folder that opens as a checkpoint.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '@airllm/checkpoint';
import { fixturesFolder } from '@airllm/fixtures';
import { resolveModel } from '@airllm/model-zoo';
import { createEncoder, createReferenceKernels, decode, type Format } from '@airllm/quantizer';
import { readHeader } from 'safetensors-js';
import { verifyShards, type ShardProgress } from '../src/index.js';
import {
  hashFolder,
  hashTensors,
  makeModel,
  readTensorBytes,
  shardModel,
  temporaryFolder,
} from './make-model.js';

describe('plain shards', () => {
  it('hold every tensor as it was, a file for each layer, data on page boundaries', async () => {
    const model = await makeModel({ shardBytes: 100_000 });
    const { folder, manifest } = await shardModel(model);
    expect(folder).toBe(join(model, 'airllm.plain'));
    expect(manifest.files.map(({ name }) => name)).toEqual([
      'embedding.safetensors',
      'layer-0.safetensors',
      'layer-1.safetensors',
      'layer-2.safetensors',
      'head.safetensors',
    ]);
    const [source, shards] = await Promise.all([openCheckpoint(model), openCheckpoint(folder)]);
    expect(await hashTensors(shards)).toEqual(await hashTensors(source));
    expect(shards.config).toEqual(source.config);
    for (const { name, bytes } of manifest.files) {
      expect((await readHeader(join(folder, name))).dataOffset % 4096).toBe(0);
      expect((await stat(join(folder, name))).size).toBe(bytes);
    }
    expect(await verifyShards(folder)).toEqual([]);
  });

  it('are used again, not written again', async () => {
    const model = await makeModel();
    const { folder } = await shardModel(model);
    const before = (await stat(join(folder, 'layer-0.safetensors'), { bigint: true })).ctimeNs;
    await shardModel(model);
    expect((await stat(join(folder, 'layer-0.safetensors'), { bigint: true })).ctimeNs).toBe(before);
  });

  it('keep tensors larger than a read whole, across blocks that are not aligned', async () => {
    // 3000 × 1024 × 2 bytes: 6.1 MB, more than one 4 MiB read and block.
    const model = await makeModel({ vocabSize: 3000, hiddenSize: 1024, intermediateSize: 32, layers: 1 });
    const { folder } = await shardModel(model);
    const [source, shards] = await Promise.all([openCheckpoint(model), openCheckpoint(folder)]);
    expect(await hashTensors(shards)).toEqual(await hashTensors(source));
  });

  it('put the experts of a layer into files of their own, each expert in one piece', async () => {
    const model = join(fixturesFolder, 'mixtral');
    const { folder, manifest } = await shardModel(model, { baseFolder: await temporaryFolder() });
    const experts = manifest.files.find(({ name }) => name === 'layer-0-experts-000.safetensors');
    const owners = experts?.tensors.map(({ name }) => Number(/experts\.(\d+)\./.exec(name)?.[1]));
    expect(owners).toEqual([...(owners ?? [])].sort((a, b) => a - b));
    expect(new Set(owners).size).toBeGreaterThan(1);
    expect((await readTensorBytes(await openCheckpoint(folder))).size).toBe(
      (await openCheckpoint(model)).tensors.size,
    );
  });

  it('leave out what no layer uses', async () => {
    const checkpoint = await openCheckpoint(join(fixturesFolder, 'llama-extra-keys'));
    const { folder } = await shardModel(checkpoint.folder, { baseFolder: await temporaryFolder() });
    const { ignores } = resolveModel(checkpoint.config);
    const held = [...(await openCheckpoint(folder)).tensors.keys()].sort();
    const used = [...checkpoint.tensors.keys()].filter((name) => !ignores(name)).sort();
    expect(used.length).toBeLessThan(checkpoint.tensors.size);
    expect(held).toEqual(used);
  });
});

describe('quantized shards', () => {
  const formats: [format: Format, doubleQuantization: boolean][] = [
    ['4bit', false],
    ['4bit', true],
    ['8bit', false],
    ['int8', false],
    ['int4', false],
    ['lossless', false],
  ];
  it.each(formats)(
    'are the bytes of the encoder: %s, double quantization %s',
    async (format, doubleQuantization) => {
      const model = await makeModel();
      const { folder, manifest } = await shardModel(model, { format, doubleQuantization });
      const source = await openCheckpoint(model);
      const sourceBytes = await readTensorBytes(source);
      const shardBytes = await readTensorBytes(await openCheckpoint(folder));
      const name = 'model.layers.1.mlp.down_proj.weight';
      const shape = source.tensors.get(name)?.shape ?? [];
      const chunk = sourceBytes.get(name) ?? Buffer.alloc(0);
      const kernels = createReferenceKernels();
      const encoder = await createEncoder({
        ...{ name, dtype: 'BF16', shape, format, kernels },
        ...(doubleQuantization && { doubleQuantization }),
      });
      if (encoder.needsSurvey) await encoder.survey(chunk);
      const planes = new Map(encoder.planes.map((plane) => [plane.name, Buffer.alloc(plane.byteLength)]));
      const put = (parts: Awaited<ReturnType<typeof encoder.finish>>): void => {
        for (const { plane, byteOffset, bytes } of parts)
          planes.get(encoder.planes[plane]?.name ?? '')?.set(bytes, byteOffset);
      };
      put(await encoder.encode(chunk));
      put(await encoder.finish());
      expect(planes.size).toBeGreaterThan(1);
      for (const [plane, bytes] of planes) expect([plane, shardBytes.get(plane)]).toEqual([plane, bytes]);

      const stays = [
        'model.embed_tokens.weight',
        'model.norm.weight',
        'model.layers.0.input_layernorm.weight',
      ];
      for (const tensor of stays) expect(shardBytes.get(tensor)).toEqual(sourceBytes.get(tensor));
      const head = manifest.files.at(-1)?.tensors.find((tensor) => tensor.name === 'lm_head.weight');
      expect(head?.format).toBe(format === 'lossless' ? 'lossless' : 'none');
      const errors = manifest.files.flatMap(({ tensors }) =>
        tensors.flatMap((tensor) => tensor.errors ?? []),
      );
      // Seven matrices in each of three layers.
      expect(errors).toHaveLength(format === 'lossless' ? 0 : 21);
      for (const { cosine } of errors) expect(cosine).toBeGreaterThan(0.98);
    },
  );

  it('give every bit back where they are lossless', async () => {
    const model = await makeModel();
    const { folder, manifest } = await shardModel(model, { format: 'lossless' });
    const sourceBytes = await readTensorBytes(await openCheckpoint(model));
    const planes = await readTensorBytes(await openCheckpoint(folder));
    const packed = manifest.files.flatMap(({ tensors }) =>
      tensors.filter((tensor) => tensor.format === 'lossless'),
    );
    expect(packed.length).toBe(22);
    for (const { name, shape } of packed) {
      if (!planes.has(`${name}.lossless.codes`)) continue;
      const { bytes } = await decode({ name, shape, format: 'lossless', planes });
      expect(Buffer.from(bytes)).toEqual(sourceBytes.get(name));
    }
  });

  it('quantize embedding, head and routers where they are named', async () => {
    const { folder, manifest } = await shardModel(join(fixturesFolder, 'mixtral'), {
      ...{ baseFolder: await temporaryFolder(), format: '4bit', quantize: ['routers', 'head', 'embedding'] },
    });
    expect(folder).toMatch(/\.4bit\+embedding\+head\+routers$/);
    const plain = manifest.files.flatMap(({ tensors }) => tensors.filter(({ format }) => format === 'none'));
    expect(plain.every(({ shape }) => shape.length === 1)).toBe(true);
  });

  it('are told apart by model and format in one folder', async () => {
    const base = await temporaryFolder();
    const [first, second] = await Promise.all([makeModel({ seed: 1 }), makeModel({ seed: 2 })]);
    const folders = [
      await shardModel(first, { baseFolder: base, format: '4bit' }),
      await shardModel(second, { baseFolder: base, format: '4bit' }),
      await shardModel(first, { baseFolder: base, format: '8bit' }),
    ].map(({ folder }) => folder);
    expect(new Set(folders).size).toBe(3);
    const [a, b] = await Promise.all([hashFolder(folders[0] ?? ''), hashFolder(folders[1] ?? '')]);
    expect(a['layer-0.safetensors']).not.toBe(b['layer-0.safetensors']);
  });

  it('report what is done, at which rate, and what is left', async () => {
    const events: ShardProgress[] = [];
    await shardModel(await makeModel(), { format: '4bit', onProgress: (event) => events.push(event) });
    const last = events.at(-1);
    expect(last).toMatchObject({ phase: 'write', filesDone: 5, filesTotal: 5, secondsLeft: 0 });
    expect(last?.doneBytes).toBe(last?.totalBytes);
    const done = events.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
  });
});

it('the index of a folder names every tensor of its files', async () => {
  const { folder } = await shardModel(await makeModel(), { format: '8bit' });
  const index = JSON.parse(await readFile(join(folder, 'model.safetensors.index.json'), 'utf8')) as {
    weight_map: Record<string, string>;
  };
  expect(Object.keys(index.weight_map)).toContain('model.layers.0.mlp.up_proj.weight.8bit.absmax');
  expect(index.weight_map['model.layers.0.mlp.up_proj.weight']).toBe('layer-0.safetensors');
});
