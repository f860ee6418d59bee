// A GPTQ checkpoint of the same values whose rows are of groups in no order: each group is there twice, its rows take turns
// between the two, and the groups are numbered backwards.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readHeader, readTensor, writeSafetensors, type TensorToWrite } from 'safetensors-js';

type ReadTensor = TensorToWrite & { readonly data: Uint8Array };

/** Writes the weights to `to`; config.json is for the caller. */
export async function shuffleGroups(from: string, to: string): Promise<void> {
  const tensors: TensorToWrite[] = [];
  for (const file of await readdir(from)) {
    if (!file.endsWith('.safetensors') || file === 'golden.safetensors') continue;
    const path = join(from, file);
    for (const tensor of (await readHeader(path)).tensors.values())
      tensors.push(shuffled({ ...tensor, data: await readTensor(path, tensor) }));
  }
  await mkdir(to);
  await writeSafetensors(join(to, 'model.safetensors'), tensors);
}

function shuffled(tensor: ReadTensor): ReadTensor {
  const { name, shape, data } = tensor;
  if (/\.(scales|qzeros)$/.test(name)) {
    const [groups = 1, ...rest] = shape;
    const rowBytes = data.length / groups;
    const backwards = Array.from({ length: groups }, (_, i) => groups - 1 - i);
    const rows = backwards.flatMap((group) => {
      const row = data.subarray(group * rowBytes, (group + 1) * rowBytes);
      return [row, row];
    });
    return { ...tensor, shape: [2 * groups, ...rest], data: new Uint8Array(Buffer.concat(rows)) };
  }
  if (!name.endsWith('.g_idx')) return tensor;
  const before = new Int32Array(data.slice().buffer);
  const groups = Math.max(...before) + 1;
  const after = before.map((group, row) => 2 * (groups - 1 - group) + (row % 2));
  return { ...tensor, data: new Uint8Array(after.buffer) };
}
