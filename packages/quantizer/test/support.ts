// What the specs share: fixtures by name, and a tensor driven through an encoder by chunks.

import { quantTensors } from '@airllm/fixtures';
import { readHeader, readTensor } from 'safetensors-js';
import { createEncoder, type Encoder, type EncoderOptions } from '../src/index.js';

/** Bytes of one tensor made by bitsandbytes, with its shape. */
export async function fixture(name: string): Promise<{ shape: readonly number[]; bytes: Uint8Array }> {
  const tensor = (await readHeader(quantTensors)).tensors.get(name);
  if (tensor === undefined) throw new Error(`Expected ${name} in ${quantTensors}`);
  return { shape: tensor.shape, bytes: await readTensor(quantTensors, tensor) };
}

export function floatsOf(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** Compares long arrays at once; where they differ, names the place. */
export function expectSameBytes(found: Uint8Array | undefined, expected: Uint8Array | undefined): void {
  if (found !== undefined && expected !== undefined && Buffer.compare(found, expected) === 0) return;
  const place = found?.findIndex((byte, i) => byte !== expected?.[i]);
  expect({ length: found?.length, place }).toEqual({ length: expected?.length, place: 'none' });
}

export function expectSamePlanes(
  found: ReadonlyMap<string, Uint8Array>,
  expected: ReadonlyMap<string, Uint8Array>,
): void {
  expect([...found.keys()]).toEqual([...expected.keys()]);
  for (const [name, bytes] of found) expectSameBytes(bytes, expected.get(name));
}

/** An encoder and all planes of `source`, put together from chunks of `chunks` times the smallest length. */
export async function encodeTensor(
  options: EncoderOptions,
  source: Uint8Array,
  chunks = 1,
): Promise<{ encoder: Encoder; planes: Map<string, Uint8Array> }> {
  const encoder = await createEncoder(options);
  const parts = [...split(source, chunks * encoder.chunkElements * (options.dtype === 'F32' ? 4 : 2))];
  if (encoder.needsSurvey) for (const part of parts) await encoder.survey(part);
  const planes = encoder.planes.map(({ byteLength }) => new Uint8Array(byteLength));
  const written = planes.map(() => 0);
  const write = (encoded: Awaited<ReturnType<Encoder['finish']>>): void => {
    for (const { plane, byteOffset, bytes } of encoded) {
      expect(byteOffset).toBe(written[plane]);
      planes[plane]?.set(bytes, byteOffset);
      written[plane] = byteOffset + bytes.length;
    }
  };
  for (const part of parts) write(await encoder.encode(part));
  write(await encoder.finish());
  expect(written).toEqual(planes.map((plane) => plane.length));
  const named = encoder.planes.map(({ name }, i) => [name, planes[i] ?? new Uint8Array(0)] as const);
  return { encoder, planes: new Map(named) };
}

function* split(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}
