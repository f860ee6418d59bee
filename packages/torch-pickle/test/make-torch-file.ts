// Torch files put together by hand: pickles opcode by opcode, zip archives and legacy files around them, and files on
// disk that are removed after the test.

import { Buffer } from 'node:buffer';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Part = Uint8Array | string | number;

/** Bytes of opcodes and arguments: numbers are bytes, strings are latin-1. */
export function bytes(...parts: readonly Part[]): Buffer {
  return Buffer.concat(
    parts.map((part) =>
      typeof part === 'number'
        ? Buffer.of(part)
        : typeof part === 'string'
          ? Buffer.from(part, 'latin1')
          : Buffer.from(part),
    ),
  );
}

export function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

export function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

export function u64(value: number | bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

/** BINUNICODE. */
export const text = (value: string): Buffer => bytes('X', u32(Buffer.byteLength(value)), Buffer.from(value));
/** LONG1 of 8 bytes, two's complement. */
export const int = (value: number | bigint): Buffer => bytes(0x8a, 8, u64(BigInt.asUintN(64, BigInt(value))));
/** GLOBAL. */
export const global = (module: string, name: string): Buffer => bytes('c', module, '\n', name, '\n');
export const tuple = (...items: readonly Part[]): Buffer => bytes('(', ...items, 't');
export const list = (...items: readonly Part[]): Buffer => bytes('](', ...items, 'e');
export const dict = (...items: readonly Part[]): Buffer => bytes('}(', ...items, 'u');
export const NONE = bytes('N');
export const FALSE = bytes(0x89);
export const ORDERED_DICT = bytes(global('collections', 'OrderedDict'), ')R');
/** A whole pickle of protocol 2. */
export const pickle = (...parts: readonly Part[]): Buffer => bytes(0x80, 2, ...parts, '.');

export interface StorageSpec {
  key?: string;
  type?: string;
  elements: number | bigint;
  legacy?: boolean;
}

/** A persistent id and BINPERSID. */
export function storage({ key = '0', type = 'FloatStorage', elements, legacy = false }: StorageSpec): Buffer {
  const id = [text('storage'), global('torch', type), text(key), text('cpu'), int(elements)];
  return bytes(tuple(...id, ...(legacy ? [NONE] : [])), 'Q');
}

export interface TensorSpec {
  storage: Uint8Array;
  offset?: number | bigint;
  shape: readonly (number | bigint)[];
  strides: readonly (number | bigint)[];
}

/** _rebuild_tensor_v2 of a storage. */
export function tensor({ storage: of, offset = 0, shape, strides }: TensorSpec): Buffer {
  const args = [of, int(offset), tuple(...shape.map(int)), tuple(...strides.map(int)), FALSE, ORDERED_DICT];
  return bytes(global('torch._utils', '_rebuild_tensor_v2'), tuple(...args), 'R');
}

export interface ZipEntry {
  name: string;
  data: Uint8Array;
  method?: number;
  flags?: number;
}

/** A zip archive of entries stored as they are. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, method = 0, flags = 0 } of entries) {
    const common = bytes(
      u16(20),
      u16(flags),
      u16(method),
      u32(0),
      u32(0),
      u32(data.length),
      u32(data.length),
    );
    const local = bytes('PK\x03\x04', common, u16(name.length), u16(0), name, data);
    directory.push(
      bytes(
        'PK\x01\x02',
        u16(20),
        common,
        u16(name.length),
        u16(0),
        u16(0),
        u16(0),
        u16(0),
        u32(0),
        u32(offset),
        name,
      ),
    );
    files.push(local);
    offset += local.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const count = u16(entries.length);
  return bytes(...files, ...directory, 'PK\x05\x06', u32(0), count, count, u32(size), u32(offset), u16(0));
}

/** An archive as torch.save makes it. */
export function torchZip(root: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = {}): Buffer {
  return zip([
    { name: 'm/data.pkl', data: root },
    ...Object.entries(storages).map(([key, data]) => ({ name: `m/data/${key}`, data })),
    { name: 'm/version', data: bytes('3\n') },
  ]);
}

export const MAGIC = bytes(0x80, 2, 0x8a, 10, Buffer.from('6cfc9c46f9206aa85019', 'hex'), '.');

/** A legacy file; each storage is [key, elements, data]. */
export function torchLegacy(
  root: Uint8Array,
  storages: readonly (readonly [string, number, Uint8Array])[] = [],
  littleEndian = true,
): Buffer {
  return bytes(
    MAGIC,
    pickle('M', u16(1001)),
    pickle(dict(text('little_endian'), littleEndian ? 0x88 : 0x89)),
    root,
    pickle(list(...storages.map(([key]) => text(key)))),
    ...storages.flatMap(([, elements, data]) => [u64(elements), data]),
  );
}

export const floats = (...values: number[]): Buffer => Buffer.from(new Float32Array(values).buffer);

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'torch-pickle-'))));
afterEach(() => rm(folder, { recursive: true, force: true }));

/** The path of a file with these bytes, gone after the test. */
export async function fileOf(content: Uint8Array, name = 'pytorch_model.bin'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}
