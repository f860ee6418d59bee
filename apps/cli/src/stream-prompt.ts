// One prompt through a model to the terminal.

import type { GenerationOptions, Model, Prompt } from '@airllm/core';
import { LiveOutput } from './live-output.js';

/** Streams the continuation. Ctrl-C ends the run cleanly with an `ABORTED` error. */
export async function streamPrompt(model: Model, prompt: Prompt, options: GenerationOptions): Promise<void> {
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  const output = new LiveOutput(model);
  try {
    const stream = model.stream(prompt, { ...options, signal: interrupt.signal, onStage: output.onStage });
    for await (const { text } of stream) output.write(text);
  } finally {
    output.end();
    process.removeListener('SIGINT', onInterrupt);
  }
}
