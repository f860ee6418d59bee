// Drives a tensor through an encoder by chunks, and times it. Output is thrown away but for its length.

import { createEncoder } from '@airllm/quantizer';
import { performance } from 'node:perf_hooks';

/** Resolves to { encoder, encodedBytes, surveySeconds, encodeSeconds }. `chunkBytes` is rounded down to whole units. */
export async function encodeTensor(options, source, chunkBytes = source.length) {
  const encoder = await createEncoder(options);
  const unit = encoder.chunkElements * (options.dtype === 'F32' ? 4 : 2);
  const length = Math.max(Math.floor(chunkBytes / unit), 1) * unit;
  const chunks = [];
  for (let start = 0; start < source.length; start += length) {
    chunks.push(source.subarray(start, start + length));
  }
  const started = performance.now();
  if (encoder.needsSurvey) for (const chunk of chunks) await encoder.survey(chunk);
  const surveyed = performance.now();
  for (const chunk of chunks) await encoder.encode(chunk);
  await encoder.finish();
  const ended = performance.now();
  return {
    encoder,
    encodedBytes: encoder.planes.reduce((sum, { byteLength }) => sum + byteLength, 0),
    surveySeconds: (surveyed - started) / 1000,
    encodeSeconds: (ended - surveyed) / 1000,
  };
}

/** Encodes a tensor in one chunk; resolves to the bytes of its planes by name. */
export async function encodePlanes(options, source) {
  const encoder = await createEncoder(options);
  if (encoder.needsSurvey) await encoder.survey(source);
  const planes = encoder.planes.map(({ byteLength }) => new Uint8Array(byteLength));
  for (const { plane, byteOffset, bytes } of await encoder.encode(source))
    planes[plane].set(bytes, byteOffset);
  for (const { plane, byteOffset, bytes } of await encoder.finish()) planes[plane].set(bytes, byteOffset);
  return new Map(encoder.planes.map(({ name }, i) => [name, planes[i]]));
}
