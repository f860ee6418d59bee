// `airllm demo`: the main job on the embedded model, with nothing to download.

import { AirllmError, AutoModel } from '@airllm/core';
import pc from 'picocolors';
import { toModelOptions, type ModelFlags } from '../model-options.js';
import { streamPrompt } from '../stream-prompt.js';

const QUESTION = 'What is the capital of United States?';
const STORY = 'Tell me a short story.';
const STORY_SEED = 20;

export async function runDemo(flags: ModelFlags): Promise<void> {
  await using model = await AutoModel.fromPretrained(await findDemoModel(), toModelOptions(flags));
  process.stderr.write(`${pc.dim(`embedded model on ${model.device}`)}\n`);
  const ask = async (content: string, options: Parameters<typeof streamPrompt>[2]): Promise<void> => {
    process.stdout.write(`${pc.bold(`> ${content}`)}\n`);
    await streamPrompt(model, { messages: [{ role: 'user', content }] }, options);
  };
  await ask(QUESTION, { maxNewTokens: 40 });
  await ask(STORY, { maxNewTokens: 200, temperature: 0.7, seed: STORY_SEED });
}

/** The model is part of the repository and not of the published command. */
async function findDemoModel(): Promise<string> {
  try {
    const { demoModelFolder } = await import('@airllm/demo-model');
    return demoModelFolder;
  } catch (cause) {
    throw new AirllmError(
      'Expected the embedded model, which comes with the repository; clone it and run npm start',
      {
        code: 'NO_DEMO_MODEL',
        cause,
      },
    );
  }
}
