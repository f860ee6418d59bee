import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readHeader } from './read-header.js';
import { readTensor } from './read-tensor.js';
import { SafetensorsError } from './safetensors-error.js';
import { serializeHeader } from './serialize-header.js';
import { writeSafetensors, type TensorToWrite } from './write-safetensors.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'safetensors-js-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

async function* chunks(...parts: number[][]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Promise.resolve(new Uint8Array(part));
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'written',
    (error: unknown) => (error instanceof SafetensorsError ? error.code : error),
  );

describe('serializeHeader', () => {
  it('writes the bytes the format describes', () => {
    const bytes = serializeHeader([{ name: 'w', dtype: 'F32', shape: [2] }]);
    // 54 characters of JSON, padded with spaces to a multiple of 8: 56.
    const json = '{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    expect(json.length).toBe(54);
    expect([...bytes.subarray(0, 8)]).toEqual([56, 0, 0, 0, 0, 0, 0, 0]);
    expect(new TextDecoder().decode(bytes.subarray(8))).toBe(`${json}  `);
  });

  it('starts the data at the alignment asked for', () => {
    expect(serializeHeader([], { alignData: 4096 }).length).toBe(4096);
    expect(() => serializeHeader([], { alignData: 12 })).toThrow(/multiple of 8/);
  });

  it('refuses names the format cannot hold', () => {
    const named = (name: string) => ({ name, dtype: 'U8', shape: [1] }) as const;
    expect(() => serializeHeader([named('a'), named('a')])).toThrow(/twice/);
    expect(() => serializeHeader([named('__metadata__')])).toThrow(/cannot be named/);
    expect(() => serializeHeader([named('\ud800')])).toThrow(/cannot be named/);
  });
});

describe('writeSafetensors', () => {
  const tensors = (): TensorToWrite[] => [
    { name: '10', dtype: 'U8', shape: [2, 2], data: new Uint8Array([1, 2, 3, 4]) },
    { name: '__proto__', dtype: 'BF16', shape: [3], data: chunks([5], [6, 7, 8, 9], [], [10]) },
    { name: 'empty', dtype: 'F32', shape: [0, 4], data: chunks() },
    { name: '9', dtype: 'F4', shape: [4], data: chunks([11, 12]) },
  ];

  it('writes what can be read back, in the order given', async () => {
    const path = join(folder, 'a.safetensors');
    await writeSafetensors(path, tensors(), { metadata: { format: 'pt', __proto: 'x' }, alignData: 512 });
    const header = await readHeader(path);
    expect([...header.tensors.keys()]).toEqual(['10', '__proto__', 'empty', '9']);
    expect(header.dataOffset).toBe(512);
    expect({ ...header.metadata }).toEqual({ format: 'pt', __proto: 'x' });
    const bytes: number[][] = [];
    for (const tensor of header.tensors.values()) bytes.push([...(await readTensor(path, tensor))]);
    expect(bytes).toEqual([[1, 2, 3, 4], [5, 6, 7, 8, 9, 10], [], [11, 12]]);
    expect(await readdir(folder)).toEqual(['a.safetensors']);
  });

  it.each([
    ['too few', [[1, 2, 3]]],
    [
      'too many',
      [
        [1, 2],
        [3, 4, 5],
      ],
    ],
  ])('refuses %s bytes and leaves the file of that name as it was', async (_name, parts) => {
    const path = join(folder, 'a.safetensors');
    await writeFile(path, 'before');
    const tensor: TensorToWrite = { name: 'w', dtype: 'F32', shape: [1], data: chunks(...parts) };
    expect(await codeOf(writeSafetensors(path, [tensor]))).toBe('SIZE_MISMATCH');
    expect(await readFile(path, 'utf8')).toBe('before');
    expect(await readdir(folder)).toEqual(['a.safetensors']);
  });

  it('passes the error of a source on and leaves nothing behind', async () => {
    const boom = new Error('boom');
    // eslint-disable-next-line require-yield
    async function* failing(): AsyncGenerator<Uint8Array> {
      await Promise.resolve();
      throw boom;
    }
    const tensor: TensorToWrite = { name: 'w', dtype: 'U8', shape: [1], data: failing() };
    expect(await codeOf(writeSafetensors(join(folder, 'a.safetensors'), [tensor]))).toBe(boom);
    expect(await readdir(folder)).toEqual([]);
  });

  it('names the path when it cannot write', async () => {
    await expect(writeSafetensors(join(folder, 'no', 'a.safetensors'), [])).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      fields: { path: join(folder, 'no', 'a.safetensors') },
    });
  });
});

describe('readHeader', () => {
  it('names the path of a missing file and of a folder', async () => {
    await expect(readHeader(join(folder, 'none'))).rejects.toMatchObject({ code: 'READ_FAILED' });
    await expect(readHeader(folder)).rejects.toMatchObject({ code: 'READ_FAILED', fields: { path: folder } });
  });
});

describe('readTensor', () => {
  it('refuses a tensor that a shortened file no longer holds', async () => {
    const path = join(folder, 'a.safetensors');
    await writeFile(path, new Uint8Array(10));
    const tensor = { name: 'w', byteOffset: 8, byteLength: 3 };
    await expect(readTensor(path, tensor)).rejects.toMatchObject({ code: 'READ_FAILED' });
  });
});
