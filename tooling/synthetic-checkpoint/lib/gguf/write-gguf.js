// Writes the weights of a bf16 Llama or Mixtral checkpoint as one GGUF file, a few rows at a time.

import { open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { readHeader } from 'safetensors-js';
import { encodeHeader } from './header.js';
import { ggufMetadata } from './metadata.js';
import { ggufPlace, rotaryRowOrder } from './names.js';
import { TENSOR_TYPES } from './tensor-types.js';

/** Rows are converted in pieces of about this size. */
const PIECE_BYTES = 8 * 2 ** 20;
const MATRIX_TYPES = ['bf16', 'q8_0'];

export async function writeGguf(folder, path, { type }) {
  if (!MATRIX_TYPES.includes(type)) {
    throw new RangeError(`Expected type to be ${MATRIX_TYPES.join(' or ')} but received ${type}`);
  }
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const targets = planTargets(await readSources(folder), { config, type });
  const { header, offsets } = encodeHeader(
    ggufMetadata(config, type),
    targets.map((target) => ({ ...target, type: target.encoding.id })),
  );
  const unfinished = `${path}.part`;
  const out = await open(unfinished, 'w');
  const files = new Map();
  try {
    await out.write(header, 0, header.length, 0);
    for (const [index, target] of targets.entries()) {
      let position = offsets[index];
      for (const source of target.sources)
        position = await copySource(source, target, { files, out, position });
    }
    await out.sync();
  } finally {
    await Promise.all([out, ...files.values()].map((file) => file.close()));
  }
  await rename(unfinished, path);
  return { tensors: targets.length, bytes: offsets.at(-1) + targets.at(-1).byteLength };
}

/** Every tensor of the checkpoint with the file it lies in. */
async function readSources(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.safetensors')).sort();
  const sources = [];
  for (const name of names) {
    const path = join(folder, name);
    for (const tensor of (await readHeader(path)).tensors.values()) sources.push({ ...tensor, path });
  }
  return sources;
}

/** The tensors of the file: norms and routers in f32 as llama.cpp wants them, matrices in `type`. */
function planTargets(sources, { config, type }) {
  const shape = { heads: config.num_attention_heads, kvHeads: config.num_key_value_heads };
  const targets = new Map();
  for (const source of sources) {
    if (source.dtype !== 'BF16') {
      throw new RangeError(`Expected bf16 tensors but ${source.name} is ${source.dtype}`);
    }
    const { name, expert, rotatedHeads } = ggufPlace(source.name, shape);
    const target = targets.get(name) ?? { name, sources: [], rotatedHeads, stacked: expert !== undefined };
    target.sources[expert ?? 0] = source;
    targets.set(name, target);
  }
  return [...targets.values()].map((target) => {
    const [{ shape: one }] = target.sources;
    const isSmall = one.length === 1 || target.name.includes('ffn_gate_inp');
    const encoding = TENSOR_TYPES[isSmall ? 'f32' : type];
    const rows = one.length === 1 ? 1 : one[0];
    const rowBytes = encoding.rowBytes(one.at(-1));
    if (!Number.isInteger(rowBytes)) {
      throw new RangeError(`Expected rows of whole blocks but ${target.name} has ${one.at(-1)} columns`);
    }
    return {
      ...target,
      encoding,
      rows,
      shape: target.stacked ? [target.sources.length, ...one] : one,
      byteLength: rowBytes * rows * target.sources.length,
    };
  });
}

/** Returns the position after it. */
async function copySource(source, { rows, rotatedHeads, encoding }, { files, out, position }) {
  let file = files.get(source.path);
  if (!file) files.set(source.path, (file = await open(source.path)));
  const rowBytes = source.byteLength / rows;
  if (rotatedHeads !== undefined) {
    const bytes = await readBytes(file, source.byteOffset, source.byteLength);
    const reordered = Buffer.alloc(bytes.length);
    rotaryRowOrder(rows, rotatedHeads).forEach((from, to) => {
      bytes.copy(reordered, to * rowBytes, from * rowBytes, (from + 1) * rowBytes);
    });
    return writeBytes(out, encoding.encode(reordered), position);
  }
  const step = Math.max(1, Math.floor(PIECE_BYTES / rowBytes));
  let end = position;
  for (let row = 0; row < rows; row += step) {
    const length = Math.min(step, rows - row) * rowBytes;
    const bytes = await readBytes(file, source.byteOffset + row * rowBytes, length);
    end = await writeBytes(out, encoding.encode(bytes), end);
  }
  return end;
}

/** In memory of its own, so that it starts at a multiple of the size of a value. */
async function readBytes(file, position, length) {
  const bytes = Buffer.from(new ArrayBuffer(length));
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead < length) throw new Error(`Expected ${length} bytes at ${position} but read ${bytesRead}`);
  return bytes;
}

async function writeBytes(out, bytes, position) {
  await out.write(bytes, 0, bytes.length, position);
  return position + bytes.length;
}
