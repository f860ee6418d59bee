// `airllm inspect`: what a checkpoint is and what it holds.

import { AutoModel } from '@airllm/core';
import pc from 'picocolors';
import prettyBytes from 'pretty-bytes';
import { createTable } from '../table.js';
import { toModelOptions, type ModelFlags } from '../model-options.js';

export async function inspectModel(id: string, flags: ModelFlags & { json?: boolean }): Promise<void> {
  const { checkpoint, definition } = await AutoModel.inspect(id, toModelOptions(flags));
  const tensors = [...checkpoint.tensors.values()];
  if (flags.json) {
    const { family, sizes } = definition;
    process.stdout.write(
      `${JSON.stringify({ id, folder: checkpoint.folder, family, sizes, tensors }, null, 2)}\n`,
    );
    return;
  }
  const table = createTable(['tensor', 'dtype', 'shape', 'bytes', '']);
  for (const { name, dtype, shape, byteLength } of tensors) {
    table.push([
      name,
      dtype,
      `[${shape.join(', ')}]`,
      prettyBytes(byteLength),
      definition.ignores(name) ? 'not used' : '',
    ]);
  }
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.byteLength, 0);
  const files = new Set(tensors.map((tensor) => tensor.path)).size;
  const { layers, hiddenSize, vocabSize, maxPositions } = definition.sizes;
  process.stdout.write(
    `${table.toString()}\n${pc.bold(definition.family)} · ${layers} layers · hidden ${hiddenSize} · vocabulary ${vocabSize} · context ${maxPositions}\n` +
      `${tensors.length} tensors, ${prettyBytes(bytes)} in ${files} file(s) of ${checkpoint.folder}\n`,
  );
}
