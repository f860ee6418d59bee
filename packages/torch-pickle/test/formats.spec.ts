// What torch may write beyond the published files: shared storages, parameters, newer dtypes, old Pythons, large files.

import { open, truncate } from 'node:fs/promises';
import { readRowMajor, readTorchFile } from '../src/index.js';
import {
  bytes,
  dict,
  FALSE,
  fileOf,
  floats,
  global,
  int,
  list,
  NONE,
  ORDERED_DICT,
  pickle,
  storage,
  tensor,
  text,
  torchLegacy,
  torchZip,
  tuple,
  u16,
  u32,
  u64,
} from './make-torch-file.js';

async function read(content: Uint8Array) {
  const path = await fileOf(content);
  const { tensors } = await readTorchFile(path);
  return { path, tensors };
}

async function valuesOf(
  { path, tensors }: Awaited<ReturnType<typeof read>>,
  name: string,
): Promise<number[]> {
  const found = tensors.get(name);
  if (found === undefined) throw new Error(`no ${name} in ${[...tensors.keys()].join()}`);
  const blocks: Uint8Array[] = [];
  for await (const block of readRowMajor(path, found)) blocks.push(block);
  const joined = Buffer.concat(blocks);
  return Array.from({ length: joined.length / 4 }, (_, i) => joined.readFloatLE(i * 4));
}

const vector = tensor({ storage: storage({ elements: 2 }), shape: [2], strides: [1] });

it('locates views of one storage by their offset', async () => {
  const of = storage({ elements: 6 });
  const root = pickle(
    dict(
      ...[text('rows'), tensor({ storage: of, shape: [2, 2], strides: [2, 1] })],
      ...[text('tail'), tensor({ storage: of, offset: 4, shape: [2], strides: [1] })],
      ...[text('column'), tensor({ storage: of, offset: 1, shape: [3], strides: [2] })],
      ...[text('scalar'), tensor({ storage: of, offset: 5, shape: [], strides: [] })],
      ...[text('empty'), tensor({ storage: of, offset: 6, shape: [0, 3], strides: [3, 1] })],
    ),
  );
  const found = await read(torchZip(root, { 0: floats(0, 1, 2, 3, 4, 5) }));
  expect(await valuesOf(found, 'rows')).toEqual([0, 1, 2, 3]);
  expect(await valuesOf(found, 'tail')).toEqual([4, 5]);
  expect(await valuesOf(found, 'column')).toEqual([1, 3, 5]);
  expect(await valuesOf(found, 'scalar')).toEqual([5]);
  expect(await valuesOf(found, 'empty')).toEqual([]);
  const start = found.tensors.get('rows')?.byteOffset ?? NaN;
  expect(found.tensors.get('tail')).toMatchObject({
    isContiguous: true,
    byteOffset: start + 16,
    storage: { byteOffset: start, byteLength: 24 },
  });
  expect(found.tensors.get('column')).toMatchObject({
    isContiguous: false,
    byteOffset: start + 4,
    byteLength: 12,
  });
});

it('ignores the stride of a dimension of length one, as torch does', async () => {
  const root = pickle(tensor({ storage: storage({ elements: 3 }), shape: [1, 3], strides: [99, 1] }));
  const { tensors } = await read(torchZip(root, { 0: floats(1, 2, 3) }));
  expect(tensors.get('')?.isContiguous).toBe(true);
});

it('reads parameters, sizes, dtypes and the metadata of a state dict', async () => {
  const parameter = (name: string, ...more: Buffer[]) =>
    bytes(global('torch._utils', name), tuple(vector, FALSE, ORDERED_DICT, ...more), 'R');
  const items = [
    ...[text('a'), parameter('_rebuild_parameter')],
    ...[text('b'), parameter('_rebuild_parameter_with_state', dict())],
    ...[text('size'), global('torch', 'Size'), tuple(tuple(int(2))), 'R'],
    ...[text('dtype'), global('torch', 'bfloat16')],
    ...[text('epoch'), int(-7), text('rate'), 'G', Buffer.alloc(8), text('bytes'), 'C', 2, 'xy'],
  ];
  // An OrderedDict, its items, then its attributes by BUILD.
  const root = pickle(ORDERED_DICT, '(', ...items, 'u', dict(text('_metadata'), ORDERED_DICT), 'b');
  const found = await read(torchZip(root, { 0: floats(1, 2) }));
  expect([...found.tensors.keys()]).toEqual(['a', 'b']);
  expect(await valuesOf(found, 'b')).toEqual([1, 2]);
});

it('reads dtypes that have no storage class, from untyped storages', async () => {
  const untyped = bytes(
    tuple(text('storage'), global('torch.storage', 'UntypedStorage'), text('0'), text('cpu'), int(6)),
    'Q',
  );
  const args = [untyped, int(2), tuple(int(4)), tuple(int(1)), FALSE, ORDERED_DICT];
  const of = (dtype: string, ...more: Buffer[]) =>
    pickle(
      global('torch._utils', '_rebuild_tensor_v3'),
      tuple(...args, global('torch', dtype), ...more),
      'R',
    );
  const { tensors } = await read(torchZip(of('float8_e4m3fn', NONE), { 0: Buffer.alloc(6) }));
  expect(tensors.get('')).toMatchObject({ dtype: 'F8_E4M3', shape: [4], byteLength: 4 });
  // Elements 2 to 5 of two bytes each do not fit six bytes.
  await expect(read(torchZip(of('uint16'), { 0: Buffer.alloc(6) }))).rejects.toMatchObject({
    code: 'INVALID_TENSOR',
  });
});

it('reads what Python 2 wrote: byte strings and OrderedDicts made of pairs', async () => {
  const pairs = list(list('U', 1, 'a', vector), list('T', u32(1), 'b', vector));
  const root = pickle(global('collections', 'OrderedDict'), tuple(pairs), 'R');
  const { tensors } = await read(torchZip(root, { 0: floats(1, 2) }));
  expect([...tensors.keys()]).toEqual(['a', 'b']);
});

it('names tensors by their path through dicts, lists and tuples', async () => {
  const root = pickle(
    dict(text('model'), dict(text('w'), vector), text('state'), dict(int(3), list(vector, tuple(vector)))),
  );
  const { tensors } = await read(torchZip(root, { 0: floats(1, 2) }));
  expect([...tensors.keys()]).toEqual(['model.w', 'state.3.0', 'state.3.1.0']);
});

it('takes legacy storages in the order of their keys', async () => {
  const of = (key: string, elements: number) =>
    tensor({ storage: storage({ key, elements, legacy: true }), shape: [elements], strides: [1] });
  const root = pickle(dict(text('x'), of('77', 2), text('y'), of('12', 3)));
  const found = await read(
    torchLegacy(root, [
      ['12', 3, floats(3, 4, 5)],
      ['77', 2, floats(1, 2)],
    ]),
  );
  expect(await valuesOf(found, 'x')).toEqual([1, 2]);
  expect(await valuesOf(found, 'y')).toEqual([3, 4, 5]);
});

it('reads legacy pickles longer than the first window', async () => {
  const of = (key: string) =>
    tensor({ storage: storage({ key, elements: 1, legacy: true }), shape: [1], strides: [1] });
  const keys = Array.from({ length: 1000 }, (_, i) => `key-${i}`);
  const root = pickle(dict(...keys.flatMap((key) => [text(key), of(key)])));
  expect(root.length).toBeGreaterThan(2 * 64 * 1024);
  const found = await read(
    torchLegacy(
      root,
      keys.map((key, i) => [key, 1, floats(i)]),
    ),
  );
  expect(await valuesOf(found, 'key-999')).toEqual([999]);
});

it('finds storages beyond 4 GB by zip64, without reading what lies before them', async () => {
  // By APPNOTE.TXT 4.3.14 to 4.3.16 and 4.5.3: sizes and offsets of 0xffffffff are in an extra field.
  const filler = 5 * 2 ** 30;
  const data = floats(1, 2);
  const root = pickle(vector);
  const local = (name: string, size: number) =>
    bytes(
      'PK\x03\x04',
      u16(45),
      u16(0),
      u16(0),
      u32(0),
      u32(0),
      u32(size),
      u32(size),
      u16(name.length),
      u16(0),
      name,
    );
  const first = bytes(local('m/data.pkl', root.length), root, local('m/data/1', 0xffffffff));
  const second = first.length + filler;
  const entry = (name: string, size: number, offset: number, extra: Uint8Array) =>
    bytes(
      ...[
        'PK\x01\x02',
        u16(45),
        u16(45),
        u16(0),
        u16(0),
        u32(0),
        u32(0),
        u32(size),
        u32(size),
        u16(name.length),
      ],
      ...[u16(extra.length), u16(0), u16(0), u16(0), u32(0), u32(offset), name, extra],
    );
  const zip64 = (...values: number[]) => bytes(u16(1), u16(8 * values.length), ...values.map(u64));
  const directory = bytes(
    entry('m/data.pkl', root.length, 0, Buffer.alloc(0)),
    entry('m/data/1', 0xffffffff, first.length - local('m/data/1', 0).length, zip64(filler, filler)),
    entry('m/data/0', data.length, 0xffffffff, zip64(second)),
  );
  const tail = bytes(local('m/data/0', data.length), data);
  const at = second + tail.length;
  const end = bytes(
    ...[
      'PK\x06\x06',
      u64(44),
      u16(45),
      u16(45),
      u32(0),
      u32(0),
      u64(3),
      u64(3),
      u64(directory.length),
      u64(at),
    ],
    ...['PK\x06\x07', u32(0), u64(at + directory.length), u32(1)],
    ...['PK\x05\x06', u16(0), u16(0), u16(0xffff), u16(0xffff), u32(0xffffffff), u32(0xffffffff), u16(0)],
  );
  const path = await fileOf(first, 'large.bin');
  await truncate(path, second); // Sparse: takes no space.
  const handle = await open(path, 'r+');
  await handle.write(bytes(tail, directory, end), 0, undefined, second);
  await handle.close();

  const { tensors } = await readTorchFile(path);
  expect(tensors.get('')?.byteOffset).toBe(at - data.length);
  expect(await valuesOf({ path, tensors }, '')).toEqual([1, 2]);
});
