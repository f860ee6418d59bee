// A name of any form to a checkpoint: a .gguf file, or what @airllm/checkpoint opens (a folder, a hub id).

import { openCheckpoint, type Checkpoint, type OpenCheckpointOptions } from '@airllm/checkpoint';

/** @throws CheckpointError, GgufError */
export async function openModelFiles(idOrPath: string, options: OpenCheckpointOptions): Promise<Checkpoint> {
  if (!/\.gguf$/i.test(idOrPath)) return openCheckpoint(idOrPath, options);
  const { openGguf } = await import('@airllm/gguf-checkpoint');
  return openGguf(idOrPath, { signal: options.signal });
}
