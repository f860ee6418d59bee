// The bytes in front of a GGUF file's tensors. Layout: ggml-org/ggml, docs/gguf.md, version 3.

import { TYPE } from './metadata.js';

export const ALIGNMENT = 32;
const VERSION = 3;

/**
 * `tensors` are { name, shape, type, byteLength } with row-major shapes and ids of tensor types, in file order.
 * Returns { header, offsets }: the padded header and where each tensor starts in the file.
 */
export function encodeHeader(metadata, tensors) {
  const infos = [];
  const relative = [];
  let offset = 0;
  for (const { name, shape, type, byteLength } of tensors) {
    infos.push(
      text(name),
      u32(shape.length),
      ...[...shape].reverse().map((size) => u64(size)),
      u32(type),
      u64(offset),
    );
    relative.push(offset);
    offset += alignedLength(byteLength);
  }
  const unpadded = Buffer.concat([
    Buffer.from('GGUF'),
    u32(VERSION),
    u64(tensors.length),
    u64(metadata.length),
    ...metadata.flatMap(([key, type, value]) => [text(key), u32(type), encodeValue(type, value)]),
    ...infos,
  ]);
  const header = Buffer.concat([unpadded, Buffer.alloc(alignedLength(unpadded.length) - unpadded.length)]);
  return { header, offsets: relative.map((start) => header.length + start) };
}

export function alignedLength(bytes) {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function encodeValue(type, value) {
  switch (type) {
    case TYPE.u32:
      return u32(value);
    case TYPE.i32:
      return number(4, (bytes) => bytes.writeInt32LE(value));
    case TYPE.f32:
      return number(4, (bytes) => bytes.writeFloatLE(value));
    case TYPE.string:
      return text(value);
    case TYPE.array:
      return Buffer.concat([
        u32(value.of),
        u64(value.items.length),
        ...value.items.map((item) => encodeValue(value.of, item)),
      ]);
    default:
      throw new RangeError(`Expected a value type of GGUF but received ${type}`);
  }
}

const u32 = (value) => number(4, (bytes) => bytes.writeUInt32LE(value));
const u64 = (value) => number(8, (bytes) => bytes.writeBigUInt64LE(BigInt(value)));
const text = (value) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]);

function number(byteLength, write) {
  const bytes = Buffer.alloc(byteLength);
  write(bytes);
  return bytes;
}
