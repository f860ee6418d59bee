// Files torch has written: every dtype at every protocol, nested and transposed tensors, and whole models beside the
// safetensors they were made from.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fixturesFolder } from '@airllm/fixtures';
import { readRowMajor, readTorchFile, type TorchTensor } from '../src/index.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const data = join(process.env['AIRLLM_SHARED_DATA'] ?? resolve(root, '../shared/data'), 'pickle');
const withData = existsSync(data) ? describe : describe.skip;
if (!existsSync(data))
  console.warn(`SKIPPED published torch files: ${data} is not there. Set AIRLLM_SHARED_DATA.`);

async function rowMajor(path: string, tensor: TorchTensor, blockBytes?: number): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  const options = blockBytes === undefined ? {} : { blockBytes };
  for await (const block of readRowMajor(path, tensor, options)) blocks.push(block);
  return Buffer.concat(blocks);
}

function decode(buffer: Buffer, dtype: string): (number | boolean)[] {
  const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  const each = (width: number, read: (at: number) => number): number[] =>
    Array.from({ length: buffer.length / width }, (_, i) => read(i * width));
  const bits = (at: number): number => view.getUint16(at, true);
  switch (dtype) {
    case 'F64':
      return each(8, (at) => view.getFloat64(at, true));
    case 'F32':
      return each(4, (at) => view.getFloat32(at, true));
    case 'BF16':
      return each(2, (at) => new Float32Array(new Uint32Array([bits(at) << 16]).buffer)[0] ?? NaN);
    case 'F16':
      return each(2, (at) => {
        const exponent = (bits(at) >> 10) & 31; // Neither 0 nor 31 for the values here.
        return (bits(at) >> 15 ? -1 : 1) * 2 ** (exponent - 15) * (1 + (bits(at) & 1023) / 1024);
      });
    case 'I64':
      return each(8, (at) => Number(view.getBigInt64(at, true)));
    case 'I32':
      return each(4, (at) => view.getInt32(at, true));
    case 'I16':
      return each(2, (at) => view.getInt16(at, true));
    case 'I8':
      return each(1, (at) => view.getInt8(at));
    case 'U8':
      return each(1, (at) => view.getUint8(at));
    case 'BOOL':
      return each(1, (at) => view.getUint8(at)).map((byte) => byte === 1);
    default:
      throw new Error(`no decoder for ${dtype}`);
  }
}

/** Name in the file, dtype, key in EXPECTED.json, and half a unit in the last place of the largest value, 7.8. */
const DTYPES: readonly (readonly [string, string, string, number])[] = [
  ['float64', 'F64', 'float*', 0],
  ['float32', 'F32', 'float*', 2 ** -22],
  ['float16', 'F16', 'float*', 2 ** -9],
  ['bfloat16', 'BF16', 'float*', 2 ** -6],
  ['int64', 'I64', 'int8|16|32|64', 0],
  ['int32', 'I32', 'int8|16|32|64', 0],
  ['int16', 'I16', 'int8|16|32|64', 0],
  ['int8', 'I8', 'int8|16|32|64', 0],
  ['uint8', 'U8', 'uint8', 0],
  ['bool', 'BOOL', 'bool', 0],
];

withData('published files', () => {
  const expected = existsSync(data)
    ? (JSON.parse(readFileSync(join(data, 'EXPECTED.json'), 'utf8')) as Record<
        string,
        Record<string, unknown>
      >)
    : {};

  it('has a test for every file of the set', () => {
    expect(readdirSync(join(data, 'gopickle'))).toHaveLength(DTYPES.length * 5 * 2);
    expect(readdirSync(join(data, 'candle')).sort()).toEqual([
      'fortran_tensor_3d.pth',
      'test.npz',
      'test.pt',
      'test_with_key.pt',
    ]);
  });

  const files = DTYPES.flatMap(([type, dtype, key, tolerance]) =>
    [1, 2, 3, 4, 5].flatMap((protocol) => [
      { file: `tensor_${type}_proto${protocol}.pt`, format: 'legacy', dtype, key, tolerance },
      { file: `tensor_${type}_proto${protocol}_zip.pt`, format: 'zip', dtype, key, tolerance },
    ]),
  );
  it.each(files)('$file', async ({ file, format, dtype, key, tolerance }) => {
    const path = join(data, 'gopickle', file);
    const found = await readTorchFile(path);
    expect(found.format).toBe(format);
    expect([...found.tensors.keys()]).toEqual(['']);
    const [tensor] = found.tensors.values();
    if (tensor === undefined) throw new Error('no tensor');
    expect(tensor).toMatchObject({ dtype, shape: [4], isContiguous: true });
    const values = decode(await rowMajor(path, tensor), dtype);
    const wanted = expected['gopickle']?.[key] as (number | boolean)[];
    if (tolerance === 0) return expect(values).toEqual(wanted);
    wanted.forEach((value, i) =>
      expect(Math.abs(Number(values[i]) - Number(value))).toBeLessThanOrEqual(tolerance),
    );
  });

  it.each([
    ['test.pt', 'test', ['test.pt', 'test']],
    ['test_with_key.pt', 'model_state_dict.test', ['test_with_key.pt', 'model_state_dict', 'test']],
  ])('%s', async (file, name, keys) => {
    const path = join(data, 'candle', file);
    const tensor = (await readTorchFile(path)).tensors.get(name);
    if (tensor === undefined) throw new Error(`no ${name}`);
    expect(tensor).toMatchObject({ dtype: 'I64', shape: [2, 4] });
    let wanted: unknown = expected['candle'];
    for (const key of keys) wanted = (wanted as Record<string, unknown>)[key];
    expect(decode(await rowMajor(path, tensor), 'I64')).toEqual((wanted as number[][]).flat());
  });

  // Blocks of one element, of parts of rows, and of everything.
  it.each([1, 24, 40, 64, 100, 4096])('fortran_tensor_3d.pth in blocks of %i bytes', async (blockBytes) => {
    const path = join(data, 'candle/fortran_tensor_3d.pth');
    const tensor = (await readTorchFile(path)).tensors.get('tensor_fortran');
    if (tensor === undefined) throw new Error('no tensor');
    // Fortran order of 2 × 3 × 4: neighbours in the first dimension are neighbours in the file.
    expect(tensor).toMatchObject({ shape: [2, 3, 4], strides: [1, 2, 6], isContiguous: false });
    const values = decode(await rowMajor(path, tensor, blockBytes), 'I64');
    expect(values).toEqual(Array.from({ length: 24 }, (_, i) => i + 1));
  });

  it('test.npz is refused: numpy is no torch', async () => {
    await expect(readTorchFile(join(data, 'candle/test.npz'))).rejects.toMatchObject({
      code: 'NOT_A_TORCH_FILE',
      message: expect.stringContaining('"x.npy"') as string,
    });
  });
});

describe('a model saved by torch, beside the safetensors it was saved from', () => {
  it.each(['llama-bin-single', 'llama-bin-sharded', 'llama-bin-legacy'])('%s', async (name) => {
    const wanted = await readSafetensors(join(fixturesFolder, 'llama3-gqa/model.safetensors'));
    const folder = join(fixturesFolder, name);
    const found = new Map<string, Buffer>();
    let transposed = 0;
    for (const file of readdirSync(folder).filter((entry) => entry.endsWith('.bin'))) {
      const path = join(folder, file);
      for (const tensor of (await readTorchFile(path)).tensors.values()) {
        expect(tensor.dtype).toBe(wanted.get(tensor.name)?.dtype);
        expect(tensor.shape).toEqual(wanted.get(tensor.name)?.shape);
        found.set(tensor.name, await rowMajor(path, tensor, 1000));
        if (tensor.isContiguous) {
          const inPlace = readFileSync(path).subarray(
            tensor.byteOffset,
            tensor.byteOffset + tensor.byteLength,
          );
          expect(inPlace.equals(found.get(tensor.name) ?? Buffer.alloc(0))).toBe(true);
        } else transposed++;
      }
    }
    expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
    for (const [key, { bytes }] of wanted) expect([key, found.get(key)?.equals(bytes)]).toEqual([key, true]);
    // One in each of three shards, by the script that wrote them.
    expect(transposed).toBe(name === 'llama-bin-sharded' ? 3 : 0);
  });
});

interface Reference {
  dtype: string;
  shape: number[];
  bytes: Buffer;
}

/** By the format's own description: 8 bytes of length, JSON, data. */
async function readSafetensors(path: string): Promise<Map<string, Reference>> {
  const handle = await open(path);
  const file = await handle.readFile();
  await handle.close();
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, start)) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [begin, end],
          },
        ]) => [name, { dtype, shape, bytes: file.subarray(start + begin, start + end) }],
      ),
  );
}
