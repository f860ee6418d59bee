import { parseMessages } from './chat-message.js';

describe('parseMessages', () => {
  it.each([
    ['plain text', [{ role: 'user', content: 'hi' }]],
    ['content parts', [{ role: 'user', content: [{ type: 'text', text: 'hi' }, { type: 'image' }] }]],
    ['tool calls without content', [{ role: 'assistant', content: null, tool_calls: [{}] }]],
    ['any role', [{ role: 'functions', content: '' }]],
  ])('takes %s', (_, messages) => {
    expect(parseMessages(messages)).toBe(messages);
  });

  it.each([
    ['text', 'hi', 'messages'],
    ['nothing', [], 'messages'],
    ['no message', [null], 'messages[0]'],
    ['no role', [{ content: 'x' }], 'messages[0].role'],
    ['an empty role', [{ role: '', content: 'x' }], 'messages[0].role'],
    ['no content', [{ role: 'user', content: 'x' }, { role: 'assistant' }], 'messages[1].content'],
    ['a number as content', [{ role: 'user', content: 4 }], 'messages[0].content'],
    ['a part without type', [{ role: 'user', content: [{ text: 'x' }] }], 'messages[0].content[0]'],
    [
      'a text part without text',
      [{ role: 'user', content: [{ type: 'text' }] }],
      'messages[0].content[0].text',
    ],
  ])('refuses %s, naming the field', (_, messages, path) => {
    expect(() => parseMessages(messages)).toThrow(
      expect.objectContaining({ code: 'INVALID_CHAT', fields: expect.objectContaining({ path }) }),
    );
  });
});
