// Writes small GGUF files for tests, valid ones and others: every number of the header can be chosen.
// Layout: ggml-org/ggml, docs/gguf.md.

import { writeFileSync } from 'node:fs';

/** Ids of value types. */
export const Type = { U32: 4, I32: 5, F32: 6, BOOL: 7, STRING: 8, ARRAY: 9, U64: 10 } as const;

/** Key, type (of a list: ARRAY and the type of its items), value. */
export type Pair = readonly [key: string, types: readonly number[], value: unknown];

export interface TensorSpec {
  readonly name: string;
  /** Row-major, as in numpy. */
  readonly shape: readonly (number | bigint)[];
  /** GGML type id. */
  readonly type: number;
  readonly bytes: Uint8Array;
  /** In place of the right one. */
  readonly offset?: bigint;
}

export interface GgufSpec {
  readonly pairs?: readonly Pair[];
  readonly tensors?: readonly TensorSpec[];
  readonly version?: number;
  readonly tensorCount?: bigint;
  readonly pairCount?: bigint;
}

const ALIGNMENT = 32;

export function encodeGguf({ pairs = [], tensors = [], version = 3, ...counts }: GgufSpec): Buffer {
  const table: Buffer[] = [];
  const data: Buffer[] = [];
  let offset = 0;
  for (const { name, shape, type, bytes, offset: chosen } of tensors) {
    const dimensions = [...shape].reverse().map((size) => u64(BigInt(size)));
    table.push(string(name), u32(shape.length), ...dimensions, u32(type), u64(chosen ?? BigInt(offset)));
    const padding = -bytes.length & (ALIGNMENT - 1);
    data.push(Buffer.from(bytes), Buffer.alloc(padding));
    offset += bytes.length + padding;
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(counts.tensorCount ?? BigInt(tensors.length)),
    u64(counts.pairCount ?? BigInt(pairs.length)),
    ...pairs.flatMap(([key, [type = 0, item], value]) => [string(key), u32(type), encode(type, item, value)]),
    ...table,
  ]);
  return Buffer.concat([header, Buffer.alloc(-header.length & (ALIGNMENT - 1)), ...data]);
}

export function writeGguf(path: string, spec: GgufSpec): string {
  writeFileSync(path, encodeGguf(spec));
  return path;
}

function encode(type: number, item: number | undefined, value: unknown): Buffer {
  switch (type) {
    case Type.U32:
      return u32(value as number);
    case Type.I32:
      return u32((value as number) >>> 0);
    case Type.F32: {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(value as number);
      return bytes;
    }
    case Type.BOOL:
      return Buffer.from([value ? 1 : 0]);
    case Type.STRING:
      return string(value as string);
    case Type.U64:
      return u64(BigInt(value as number));
    case Type.ARRAY: {
      const items = value as unknown[];
      const encoded = items.map((entry) => encode(item ?? 0, undefined, entry));
      return Buffer.concat([u32(item ?? 0), u64(BigInt(items.length)), ...encoded]);
    }
    default:
      throw new RangeError(`no value type ${type}`);
  }
}

export function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(BigInt(bytes.length)), bytes]);
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}
