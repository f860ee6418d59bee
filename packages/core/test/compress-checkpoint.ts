// A checkpoint with every tensor in one format, norms and embeddings too: whatever may be packed is.

import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createEncoder, type EncoderOptions } from '@airllm/quantizer';
import { readHeader, readTensor, writeSafetensors, type TensorToWrite } from 'safetensors-js';

export interface Compression extends Pick<EncoderOptions, 'format' | 'doubleQuantization'> {
  /** Names of the tensors that are packed. Default all. */
  readonly only?: RegExp;
}

/** Writes `to`, a folder that does not exist yet; tensors that the format refuses stay as they are. */
export async function compressCheckpoint(from: string, to: string, compression: Compression): Promise<void> {
  await mkdir(to, { recursive: true });
  const tensors: TensorToWrite[] = [];
  for (const file of await readdir(from)) {
    const path = join(from, file);
    if (file.endsWith('.index.json')) continue;
    if (!file.endsWith('.safetensors')) {
      await cp(path, join(to, file));
      continue;
    }
    const header = await readHeader(path);
    for (const tensor of header.tensors.values())
      tensors.push(...(await compress({ ...tensor, data: await readTensor(path, tensor) }, compression)));
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
