import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jest } from '@jest/globals';
import type { ChatMessage } from './chat-message.js';
import { ChatTemplate, type ChatTemplateOptions } from './chat-template.js';

const DATA =
  process.env['AIRLLM_SHARED_DATA'] ?? fileURLToPath(new URL('../../../../../shared/data', import.meta.url));
const HELLO: ChatMessage[] = [{ role: 'user', content: 'Hello' }];

function render(
  source: string,
  messages: readonly ChatMessage[] = HELLO,
  options?: ChatTemplateOptions,
): string {
  return new ChatTemplate(new Map([['default', source]]), { eos_token: '</s>' }).render(messages, options);
}

function readCases(path: string): unknown {
  const file = join(DATA, 'chat-templates', path);
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'));
  console.warn(`chat templates: skipped, ${file} is not there (set AIRLLM_SHARED_DATA)`);
  return undefined;
}

describe('ChatTemplate', () => {
  it('shows the template what transformers shows: special tokens, tools, documents, the prompt flag', () => {
    expect(render('{{ messages[0].content }}{{ eos_token }}{{ bos_token }}')).toBe('Hello</s>');
    expect(render("{{ 'yes' if tools is none and documents is none and add_generation_prompt }}")).toBe(
      'yes',
    );
    expect(render("{{ 'no' if not add_generation_prompt }}", HELLO, { addGenerationPrompt: false })).toBe(
      'no',
    );
    expect(render('{{ tools[0].name }}', HELLO, { tools: [{ name: 'f' }] })).toBe('f');
  });

  it('passes other options on by their own name, over the special tokens but not over the conversation', () => {
    const options = { depth: 3, eos_token: '<end>', messages: 'x' };
    expect(render('{{ depth }}{{ eos_token }}{{ messages|length }}', HELLO, options)).toBe('3<end>1');
  });

  it("prints today's date in English", () => {
    jest.useFakeTimers({ now: new Date(2025, 0, 9) });
    expect(render("{{ strftime_now('%d %b %Y') }}")).toBe('09 Jan 2025');
    jest.useRealTimers();
  });

  it('uses the tool_use template when tools are given', () => {
    const template = new ChatTemplate(
      new Map([
        ['default', 'plain'],
        ['tool_use', 'tools'],
      ]),
      {},
    );
    expect(template.render(HELLO)).toBe('plain');
    expect(template.render(HELLO, { tools: [] })).toBe('plain');
    expect(template.render(HELLO, { tools: [{}] })).toBe('tools');
  });

  it.each([
    ['raise_exception', "{{ raise_exception('roles must alternate') }}", /roles must alternate/],
    ['a syntax error', '{% if %}', /chat template 'default'/],
  ])('reports %s', (_, source, message) => {
    const act = (): string => render(source);
    expect(act).toThrow(message);
    expect(act).toThrow(expect.objectContaining({ code: 'INVALID_CHAT' }));
  });

  it('says where it looked when there is no template', () => {
    expect(new ChatTemplate(new Map(), {}).exists).toBe(false);
    expect(() => new ChatTemplate(new Map(), {}).render(HELLO)).toThrow(
      expect.objectContaining({
        code: 'NO_CHAT_TEMPLATE',
        message: expect.stringContaining('chat_template.jinja'),
      }),
    );
    expect(() => new ChatTemplate(new Map([['rag', 'x']]), {}).render(HELLO)).toThrow(/found only rag/);
  });
});

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
    .flatMap(([name, { data, ...rest }]) => (data === undefined ? [] : [[name, { data, ...rest }] as const]));

  // The clock the expected outputs were made with.
  beforeAll(() => jest.useFakeTimers({ now: new Date('2025-07-10T12:00:00.000Z') }));
  afterAll(() => jest.useRealTimers());

  it.each(cases)('%s', (_, { chat_template: source, data, target }) => {
    // transformers always passes the flag; the one template that takes its absence for true is given true.
    const absent = source.includes('add_generation_prompt is not defined');
    const { messages, add_generation_prompt: addGenerationPrompt = absent, ...variables } = data;
    const template = new ChatTemplate(new Map([['default', source]]), {});
    expect(template.render(messages, { addGenerationPrompt, ...variables })).toBe(target);
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
  const plain = data.cases.filter((example) => example.plain_python_jinja2_equals_expected);

  it.each(plain.map((example) => [example.name, example] as const))('%s', (_, example) => {
    const turns = [...data.conversation, ...example.extra_conversation];
    const messages = turns.map(([role, content]) => ({ role, content }));
    const { bos_token, eos_token } = example;
    const template = new ChatTemplate(new Map([['default', example.template]]), { bos_token, eos_token });
    expect(template.render(messages)).toBe(example.plain_python_jinja2_output);
  });
});
