// A name of any form to a checkpoint: a .gguf file, or what @airllm/checkpoint opens (a folder, a hub id).

import { openCheckpoint, type Checkpoint, type OpenCheckpointOptions } from '@airllm/checkpoint';
import { openGguf } from '@airllm/gguf-checkpoint';

/** @throws CheckpointError, GgufError */
export async function openModelFiles(idOrPath: string, options: OpenCheckpointOptions): Promise<Checkpoint> {
  return /\.gguf$/i.test(idOrPath)
    ? openGguf(idOrPath, { signal: options.signal })
    : openCheckpoint(idOrPath, options);
}
