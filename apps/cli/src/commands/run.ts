// `airllm run`: one prompt, streamed.

import { AutoModel, type ChatMessage, type Model, type Prompt } from '@airllm/core';
import { createDownloadProgress } from '../download-progress.js';
import { toModelOptions, type ModelFlags } from '../model-options.js';
import { createShardProgress } from '../shard-progress.js';
import { streamPrompt } from '../stream-prompt.js';

interface RunFlags extends ModelFlags {
  raw?: boolean;
  system?: string;
  maxNewTokens?: number;
  temperature?: number;
  topK?: number;
  topP?: number;
  minP?: number;
  seed?: number;
  stop?: string[];
  ignoreEos?: boolean;
}

export async function runPrompt(id: string, prompt: string, flags: RunFlags): Promise<void> {
  const { maxNewTokens, temperature, topK, topP, minP, seed, stop, ignoreEos } = flags;
  const sharding = createShardProgress();
  await using model = await AutoModel.fromPretrained(id, {
    ...toModelOptions(flags),
    onProgress: createDownloadProgress(),
    onShardProgress: sharding.onProgress,
  });
  sharding.end();
  await streamPrompt(model, toPrompt(model, prompt, flags), {
    maxNewTokens,
    temperature,
    topK,
    topP,
    minP,
    seed,
    stop,
    ignoreEos,
  });
}

function toPrompt(model: Model, text: string, { raw, system }: RunFlags): Prompt {
  if (raw || !model.tokenizer.hasChatTemplate) return system === undefined ? text : `${system}\n${text}`;
  const messages: ChatMessage[] = [{ role: 'user', content: text }];
  return { messages: system === undefined ? messages : [{ role: 'system', content: system }, ...messages] };
}
