// A checkpoint with every tensor in one format, norms and embeddings too: whatever may be packed is.

import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '@airllm/checkpoint';
import { createEncoder, type EncoderOptions } from '@airllm/quantizer';
import { isDtype, readTensor, writeSafetensors, type Dtype, type TensorToWrite } from 'safetensors-js';

export interface Compression extends Pick<EncoderOptions, 'format' | 'doubleQuantization'> {
  /** Names of the tensors that are packed. Default all. */
  readonly only?: RegExp;
}

/** Writes `to`, a folder that does not exist yet; tensors that the format refuses stay as they are. */
export async function compressCheckpoint(from: string, to: string, compression: Compression): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const file of await readdir(from)) {
    if (!/\.safetensors(\.index\.json)?$/.test(file)) await cp(join(from, file), join(to, file));
  }
  const tensors: TensorToWrite[] = [];
  for (const stored of (await openCheckpoint(from)).tensors.values()) {
    const { name, dtype, shape } = stored;
    const data = await readTensor(stored.path, stored);
    tensors.push(...(await compress({ name, dtype: knownDtype(dtype), shape, data }, compression)));
  }
  await writeSafetensors(join(to, 'model.safetensors'), tensors, { alignData: 4096 });
}

async function compress(
  tensor: Omit<TensorToWrite, 'data'> & { readonly data: Uint8Array },
  { format, only, ...options }: Compression,
): Promise<TensorToWrite[]> {
  const { name, dtype, shape, data } = tensor;
  const isPackable = dtype === 'BF16' || (format !== 'lossless' && (dtype === 'F32' || dtype === 'F16'));
  if (only?.test(name) === false) return [tensor];
  if (!isPackable || (format === 'int4' && (shape.at(-1) ?? 1) % 2 !== 0)) return [tensor];
  const encoder = await createEncoder({ name, dtype, shape, format, ...options });
  if (encoder.needsSurvey) await encoder.survey(data);
  const planes = encoder.planes.map((plane) => ({ ...plane, data: new Uint8Array(plane.byteLength) }));
  for (const { plane, byteOffset, bytes } of await encoder.encode(data))
    planes[plane]?.data.set(bytes, byteOffset);
  for (const { plane, byteOffset, bytes } of await encoder.finish())
    planes[plane]?.data.set(bytes, byteOffset);
  return planes;
}

function knownDtype(dtype: string): Dtype {
  if (isDtype(dtype)) return dtype;
  throw new TypeError(`Expected a dtype of safetensors but received ${dtype}`);
}
