// Chat templates of published models through a model's tokenizer: every case that plain Jinja renders; the rest is
// printed with its reason.

import { jest } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChatMessage } from '../src/chat/chat-message.js';
import { loadTokenizer } from '../src/tokenizer/load-tokenizer.js';
import type { ModelTokenizer } from '../src/tokenizer/model-tokenizer.js';
import { SHARED_DATA } from './tokenizer-sources.js';

/** A tokenizer of one token with the template in its tokenizer_config.json. */
function tokenizerWith(
  chatTemplate: string,
  specialTokens: Record<string, string> = {},
): Promise<ModelTokenizer> {
  const files: Record<string, unknown> = {
    'tokenizer.json': {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      model: { type: 'BPE', vocab: { a: 0 }, merges: [] },
    },
    'tokenizer_config.json': { ...specialTokens, chat_template: chatTemplate },
  };
  return loadTokenizer({
    id: 'template',
    readJson: (name) => Promise.resolve(files[name]),
    readText: () => Promise.resolve(undefined),
  });
}

function readCases(path: string): unknown {
  const file = join(SHARED_DATA, 'chat-templates', path);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  console.warn(`chat templates: skipped, ${file} is not there (set AIRLLM_SHARED_DATA)`);
  return undefined;
}

interface ModelCase {
  chat_template: string;
  target: string;
  data?: { messages: ChatMessage[]; add_generation_prompt?: boolean } & Record<string, unknown>;
}

describe('templates of published models, with the output transformers gives (huggingface.js e2e)', () => {
  const groups = readCases('huggingface.js/e2e.json') as
    Record<string, Record<string, ModelCase>> | undefined;
  if (groups === undefined) {
    it.skip('data absent', () => undefined);
    return;
  }
  const cases = Object.values(groups)
    .filter((group) => typeof group === 'object')
    .flatMap((group) => Object.entries(group))
    .flatMap(([name, { data, ...rest }]) => {
      if (data !== undefined) return [[name, { data, ...rest }] as const];
      console.warn(`chat templates: ${name} skipped, the case comes without its conversation`);
      return [];
    });

  // The clock the expected outputs were made with.
  beforeAll(() => jest.useFakeTimers({ now: new Date('2025-07-10T12:00:00.000Z') }));
  afterAll(() => jest.useRealTimers());

  it.each(cases)('%s', async (_, { chat_template: source, data, target }) => {
    // transformers always passes the flag; the one template that takes its absence for true is given true.
    const absent = source.includes('add_generation_prompt is not defined');
    const { messages, add_generation_prompt: addGenerationPrompt = absent, ...variables } = data;
    const tokenizer = await tokenizerWith(source);
    expect(tokenizer.applyChatTemplate(messages, { addGenerationPrompt, ...variables })).toBe(target);
  });
});

interface LlamaCase {
  name: string;
  template: string;
  bos_token: string;
  eos_token: string;
  extra_conversation: [string, string][];
  plain_python_jinja2_output: string;
  plain_python_jinja2_equals_expected: boolean;
}

describe('templates of published models, with the output of Jinja2 (llama.cpp tests)', () => {
  const data = readCases('llama.cpp-tests/chat-template-cases.json') as
    { conversation: [string, string][]; cases: LlamaCase[] } | undefined;
  if (data === undefined) {
    it.skip('data absent', () => undefined);
    return;
  }
  const other = data.cases.filter((example) => !example.plain_python_jinja2_equals_expected);
  console.warn(
    'chat templates: llama.cpp expects something else than plain Jinja for these (its own step before the template ' +
      `moves the system message into the user turn); checked against Jinja2 instead:\n` +
      other
        .map(({ name, plain_python_jinja2_output: output }) => `  ${name}: ${reasonOf(output)}`)
        .join('\n'),
  );

  it.each(data.cases.map((example) => [example.name, example] as const))('%s', async (_, example) => {
    const turns = [...data.conversation, ...example.extra_conversation];
    const messages = turns.map(([role, content]) => ({ role, content }));
    const { bos_token, eos_token, plain_python_jinja2_output: expected } = example;
    const tokenizer = await tokenizerWith(example.template, { bos_token, eos_token });
    const render = () => tokenizer.applyChatTemplate(messages);
    if (expected.startsWith('EXC '))
      expect(render).toThrow(expect.objectContaining({ code: 'INVALID_CHAT' }));
    else expect(render()).toBe(expected);
  });
});

function reasonOf(output: string): string {
  return output.startsWith('EXC ')
    ? `Jinja2 refuses the conversation, ${output.slice(4)}`
    : 'the system message is left out';
}
