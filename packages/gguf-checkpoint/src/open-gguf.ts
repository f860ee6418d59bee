// The way in: a .gguf file as a checkpoint. Metadata becomes config.json and the tokenizer's files, tensors get their
// Hugging Face names; weights are only located.

import { open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Checkpoint, StoredTensor } from '@airllm/checkpoint';
import { findArchitecture } from './architecture.js';
import { GgufError, shown } from './gguf-error.js';
import { locateTensors } from './locate-tensors.js';
import { partPaths } from './part-paths.js';
import { readHeader, type GgufHeader } from './read-header.js';
import { renameTensors, ROPE_FACTORS } from './rename-tensors.js';
import { synthesizeConfig } from './synthesize-config.js';
import { tokenizerFiles } from './tokenizer/tokenizer-files.js';

export interface OpenGgufOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens `path`, a whole model or any part of a split one.
 *
 * @throws GgufError, see its codes. An unknown tokenizer is refused when `readJson('tokenizer.json')` asks for it.
 * @example
 * const checkpoint = await openGguf('llama-3.2-1b-instruct-bf16.gguf');
 * checkpoint.tensors.get('model.layers.0.self_attn.q_proj.weight')?.dtype; // 'BF16'
 */
export async function openGguf(path: string, { signal }: OpenGgufOptions = {}): Promise<Checkpoint> {
  try {
    return await openParts(path, signal);
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new GgufError('ABORTED', `Opening ${path} was aborted.`, { cause: signal.reason as unknown });
  }
}

async function openParts(id: string, signal: AbortSignal | undefined): Promise<Checkpoint> {
  const path = resolve(id);
  const headers: GgufHeader[] = [];
  for (const partPath of partPaths(path)) headers.push(await readHeader(partPath, signal));
  const [first] = headers;
  if (!first) throw new RangeError('Expected at least one part');
  const stored = headers.flatMap(locateTensors);
  checkParts(headers, stored);
  checkQuantizationVersion(first);
  const { metadata } = first;
  const architecture = findArchitecture(metadata);
  const tensors = renameTensors(stored, architecture);
  const ropeFactors = await readRopeFactors(stored.find(({ name }) => name === ROPE_FACTORS));
  const config = synthesizeConfig({ metadata, architecture, tensors, ropeFactors });
  const files = tokenizerFiles(metadata, architecture.name);
  return {
    id,
    folder: dirname(path),
    config,
    tensors,
    readJson: (fileName) =>
      Promise.resolve().then(() =>
        fileName === 'config.json'
          ? config
          : Object.hasOwn(files, fileName)
            ? files[fileName]?.()
            : undefined,
      ),
    readText: () => Promise.resolve(undefined),
  };
}

/** Every part says how many there are, which it is, and how many tensors they have together. */
function checkParts(headers: readonly GgufHeader[], tensors: readonly StoredTensor[]): void {
  const names = new Set(tensors.map(({ name }) => name));
  const [first] = headers;
  if (!first) return;
  if (names.size !== tensors.length) {
    throw new GgufError('INVALID_TENSOR', `Expected every tensor name of ${first.path} once.`, {
      fields: { path: first.path },
    });
  }
  const isWhole = headers.length === 1 && first.metadata.integer('split.count', { min: 0, max: 1e6 }, 1) <= 1;
  if (isWhole) return;
  headers.forEach(({ metadata, path }, index) => {
    const count = metadata.integer('split.count', { min: 0, max: 1e6 }, 0);
    const number = metadata.integer('split.no', { min: 0, max: 1e6 }, index);
    const total = metadata.integer('split.tensors.count', { min: 0, max: 2 ** 30 }, tensors.length);
    if (count === headers.length && number === index && total === tensors.length) return;
    throw new GgufError(
      'INVALID_PARTS',
      `Expected ${path} to be part ${index + 1} of ${headers.length} with ${tensors.length} tensors in all but it says part ${number + 1} of ${count} with ${total}.`,
      { fields: { path } },
    );
  });
}

/** Blocks of quantized tensors had another layout before version 2. */
function checkQuantizationVersion({ metadata, path }: GgufHeader): void {
  const version = metadata.integer('general.quantization_version', { min: 0, max: 2 ** 31 }, 2);
  if (version === 2) return;
  throw new GgufError(
    'UNSUPPORTED_VERSION',
    `Expected general.quantization_version 2 in ${path} but found ${version}. Quantize the model again.`,
    { fields: { path, version } },
  );
}

async function readRopeFactors(tensor: StoredTensor | undefined): Promise<number[] | undefined> {
  if (!tensor) return undefined;
  const { name, dtype, shape, path, byteOffset, byteLength } = tensor;
  if (dtype !== 'F32' || shape.length !== 1 || byteLength > 65_536) {
    throw new GgufError(
      'INVALID_TENSOR',
      `Expected ${shown(name)} in ${path} to be a short F32 vector but it is ${dtype} [${shape.join(', ')}].`,
      { fields: { tensor: name, path } },
    );
  }
  const bytes = Buffer.alloc(byteLength);
  const file = await open(path);
  try {
    await file.read(bytes, 0, byteLength, byteOffset);
  } finally {
    await file.close();
  }
  return Array.from({ length: byteLength / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
