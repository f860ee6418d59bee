import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CheckpointFiles, readChatTemplates } from './chat-template-sources.js';

function files(contents: Record<string, unknown>): CheckpointFiles {
  return {
    readJson: (name) => Promise.resolve(contents[name]),
    readText: (name) => Promise.resolve(contents[name] as string | undefined),
  };
}

describe('readChatTemplates', () => {
  const config = { chat_template: 'from config' };

  it('takes chat_template.jinja first, then chat_template.json, then tokenizer_config.json', async () => {
    const jinja = { 'chat_template.jinja': 'from jinja' };
    const json = { 'chat_template.json': { chat_template: 'from json' } };
    expect([...(await readChatTemplates(files({ ...jinja, ...json }), config))]).toEqual([
      ['default', 'from jinja'],
    ]);
    expect([...(await readChatTemplates(files(json), config))]).toEqual([['default', 'from json']]);
    expect([...(await readChatTemplates(files({}), config))]).toEqual([['default', 'from config']]);
  });

  it('takes a list of named templates', async () => {
    const named = [
      { name: 'default', template: 'a' },
      { name: 'tool_use', template: 'b' },
    ];
    expect([...(await readChatTemplates(files({}), { chat_template: named }))]).toEqual([
      ['default', 'a'],
      ['tool_use', 'b'],
    ]);
  });

  it('adds the templates of additional_chat_templates by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'airllm-templates-'));
    await mkdir(join(folder, 'additional_chat_templates'));
    await writeFile(join(folder, 'additional_chat_templates', 'tool_use.jinja'), 'tools');
    await writeFile(join(folder, 'additional_chat_templates', 'README.md'), 'no template');
    const source = { ...files({ 'chat_template.jinja': 'main' }), folder };
    expect([...(await readChatTemplates(source, config))]).toEqual([
      ['default', 'main'],
      ['tool_use', 'tools'],
    ]);
    await rm(folder, { recursive: true });
  });

  it('finds none where there is none', async () => {
    expect((await readChatTemplates(files({}), { chat_template: null })).size).toBe(0);
  });

  it.each([[42], [[{ name: 'default' }]], [{ default: 'x' }]])('refuses %p', async (stored) => {
    await expect(readChatTemplates(files({}), { chat_template: stored })).rejects.toMatchObject({
      code: 'INVALID_CHAT',
      fields: { fileName: 'tokenizer_config.json' },
    });
  });
});
