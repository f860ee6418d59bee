import { jest } from '@jest/globals';
import type { ChatMessage } from './chat-message.js';
import { ChatTemplate, type ChatTemplateOptions } from './chat-template.js';

const HELLO: ChatMessage[] = [{ role: 'user', content: 'Hello' }];

function render(
  source: string,
  messages: readonly ChatMessage[] = HELLO,
  options?: ChatTemplateOptions,
): string {
  return new ChatTemplate(new Map([['default', source]]), { eos_token: '</s>' }).render(messages, options);
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

  it('gives text parts as one string to a template that takes content for a string', () => {
    const parts = [{ type: 'text', text: 'a' }, { type: 'text', text: 'b' }]; // prettier-ignore
    expect(render("{{ 'U:' + messages[0]['content'] }}", [{ role: 'user', content: parts }])).toBe('U:a\nb');
    expect(render('{{ messages[0].content | trim }}', [{ role: 'user', content: parts }])).toBe('a\nb');
  });

  it('leaves parts to a template that reads them', () => {
    const source = "{% for part in messages[0].content %}{% if part.type == 'image' %}<i>{% else %}{{ part.text }}{% endif %}{% endfor %}"; // prettier-ignore
    const content = [{ type: 'image' }, { type: 'text', text: 'a' }, { type: 'text', text: 'b' }];
    expect(render(source, [{ role: 'user', content }])).toBe('<i>ab');
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
