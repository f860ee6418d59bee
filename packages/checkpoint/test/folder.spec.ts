// Checkpoints on disk.

import { chmod, mkdir, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint } from '../src/index.js';
import { codeOf, index, shard, temporaryFolder, type Files } from './make-checkpoint.js';

const config = '{"model_type":"llama"}';
const open = async (files: Files) => openCheckpoint(await temporaryFolder(files));

describe('a folder', () => {
  it('with one file', async () => {
    const folder = await temporaryFolder({
      'config.json': config,
      'model.safetensors': shard({ a: 3, b: 5 }),
    });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.config).toEqual({ model_type: 'llama' });
    expect(checkpoint.folder).toBe(folder);
    // The data starts after 8 bytes of length and the JSON that `shard` writes.
    const json =
      '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}}';
    expect(checkpoint.tensors.get('b')).toEqual({
      name: 'b',
      dtype: 'U8',
      shape: [5],
      path: join(folder, 'model.safetensors'),
      byteOffset: 8 + json.length + 3,
      byteLength: 5,
    });
  });

  it('with shards in any order and any zero padding', async () => {
    const checkpoint = await open({
      'config.json': config,
      'model-2-of-3.safetensors': shard({ b: 1, d: 2 }),
      'model-00001-of-3.safetensors': shard({ a: 3 }),
      'model-003-of-3.safetensors': shard({ c: 4, unnamed: 1 }),
      'model.safetensors.index.json': index({
        c: 'model-003-of-3.safetensors',
        a: 'model-00001-of-3.safetensors',
        d: 'model-2-of-3.safetensors',
        b: 'model-2-of-3.safetensors',
      }),
    });
    expect([...checkpoint.tensors.keys()].sort()).toEqual(['a', 'b', 'c', 'd', 'unnamed']);
    expect(checkpoint.tensors.get('d')?.path).toMatch(/model-2-of-3\.safetensors$/);
  });

  it('with an index of another name', async () => {
    const checkpoint = await open({
      'config.json': config,
      'w.safetensors': shard({ a: 1 }),
      'model.fp16.safetensors.index.json': index({ a: 'w.safetensors' }),
    });
    expect(checkpoint.tensors.size).toBe(1);
  });

  it('with links to files elsewhere', async () => {
    const elsewhere = await temporaryFolder({ blob: shard({ a: 1 }), text: config });
    const folder = await temporaryFolder();
    await symlink(join(elsewhere, 'blob'), join(folder, 'model.safetensors'));
    await symlink(join(elsewhere, 'text'), join(folder, 'config.json'));
    expect((await openCheckpoint(folder)).tensors.size).toBe(1);
  });

  it('reads other files by plain name only', async () => {
    const files = {
      'config.json': config,
      'model.safetensors': shard({}),
      'a.json': '[1]',
      'b.jinja': '{{ x }}',
    };
    const checkpoint = await open(files);
    expect(await checkpoint.readJson('a.json')).toEqual([1]);
    expect(await checkpoint.readText('b.jinja')).toBe('{{ x }}');
    expect(await checkpoint.readText('none.txt')).toBeUndefined();
    expect(await checkpoint.readJson('none.json')).toBeUndefined();
    for (const name of [
      '../a.json',
      '/etc/passwd',
      'x/a.json',
      'x\\a.json',
      'c:a.json',
      '..',
      '.',
      '',
      'a\0',
    ]) {
      expect(await codeOf(checkpoint.readText(name))).toBe('INVALID_FILE_NAME');
    }
    expect(await codeOf(checkpoint.readJson('b.jinja'))).toBe('INVALID_JSON');
  });

  it('reads the Infinity and NaN that Python writes', async () => {
    // As in the published config of Nemotron-H: "time_step_limit": [0.0, Infinity].
    const text = '{"time_step_limit":[0.0,Infinity],"low":-Infinity,"n":NaN,"s":"Infinity \\"NaN\\" \\\\"}';
    const checkpoint = await open({ 'config.json': text, 'model.safetensors': shard({}) });
    expect(checkpoint.config).toEqual({
      time_step_limit: [0, Infinity],
      low: -Infinity,
      n: null,
      s: 'Infinity "NaN" \\',
    });
  });
});

describe('refused with', () => {
  const weights = { 'model.safetensors': shard({ a: 1 }) };
  const indexed = (text: string, more: Files = {}): Files => ({
    'config.json': config,
    'model.safetensors.index.json': text,
    'm.safetensors': shard({ a: 1 }),
    ...more,
  });
  const cases: [code: string, why: string, files: Files][] = [
    ['CONFIG_MISSING', 'no config.json', weights],
    ['INVALID_JSON', 'config.json that is no JSON', { ...weights, 'config.json': '{' }],
    ['INVALID_JSON', 'config.json that is no object', { ...weights, 'config.json': '[1]' }],
    [
      'INVALID_JSON',
      'config.json that is not UTF-8',
      { ...weights, 'config.json': new Uint8Array([0x22, 0xff, 0x22]) },
    ],
    ['FILE_TOO_LARGE', 'config.json of 17 MB', { ...weights, 'config.json': ' '.repeat(17 * 2 ** 20) }],
    ['READ_FAILED', 'config.json that is a folder', { ...weights, 'config.json/x': '' }],
    ['NO_WEIGHTS', 'no weights', { 'config.json': config }],
    ['NO_WEIGHTS', 'shards without an index', { 'config.json': config, 'm-1-of-1.safetensors': shard({}) }],
    ['NOT_YET', 'GGUF only', { 'config.json': config, 'model.Q4_K_M.gguf': 'x' }],
    [
      'AMBIGUOUS_WEIGHTS',
      'two indexes',
      { 'config.json': config, 'a.safetensors.index.json': '', 'b.safetensors.index.json': '' },
    ],
    [
      'INVALID_SHARD',
      'a weight file that is cut',
      { 'config.json': config, 'model.safetensors': shard({ a: 9 }).subarray(0, -1) },
    ],
    ['INVALID_SHARD', 'an empty weight file', { 'config.json': config, 'model.safetensors': '' }],
    ['INVALID_INDEX', 'an index that is no JSON', indexed('{')],
    ['INVALID_INDEX', 'an index without weight_map', indexed('{}')],
    ['INVALID_INDEX', 'an index that is an array', indexed('[]')],
    ['INVALID_INDEX', 'a weight_map that is an array', indexed('{"weight_map":[]}')],
    ['INVALID_INDEX', 'an empty weight_map', indexed(index({}))],
    ['INVALID_INDEX', 'a file that is a number', indexed('{"weight_map":{"a":1}}')],
    [
      'INVALID_INDEX',
      'a tensor given twice',
      indexed('{"weight_map":{"a":"m.safetensors","\\u0061":"m.safetensors"}}'),
    ],
    ['INVALID_INDEX', 'a file above the folder', indexed(index({ a: '../m.safetensors' }))],
    ['INVALID_INDEX', 'an absolute file', indexed(index({ a: '/tmp/m.safetensors' }))],
    ['INVALID_INDEX', 'a file in a folder below', indexed(index({ a: 'x/m.safetensors' }))],
    ['INVALID_INDEX', 'a file with a backslash', indexed(index({ a: '..\\m.safetensors' }))],
    ['INVALID_INDEX', 'a file on a drive', indexed(index({ a: 'C:m.safetensors' }))],
    ['INVALID_INDEX', 'a file of another format', indexed(index({ a: 'pytorch_model.bin' }))],
    [
      'SHARD_MISSING',
      'a shard that is not there',
      indexed(index({ a: 'm.safetensors', b: 'n.safetensors' })),
    ],
    ['TENSOR_MISSING', 'a tensor no shard has', indexed(index({ a: 'm.safetensors', b: 'm.safetensors' }))],
    [
      'TENSOR_MISSING',
      'a tensor in another shard than the index says',
      indexed(index({ a: 'n.safetensors', b: 'm.safetensors' }), { 'n.safetensors': shard({ b: 1 }) }),
    ],
    [
      'DUPLICATE_TENSOR',
      'a tensor in two shards',
      indexed(index({ a: 'm.safetensors', b: 'n.safetensors' }), { 'n.safetensors': shard({ a: 1, b: 1 }) }),
    ],
  ];
  it.each(cases)('%s: %s', async (code, _why, files) => {
    expect(await codeOf(open(files))).toBe(code);
  });

  it('the name of the shard and of the format in the message', async () => {
    await expect(open(indexed(index({ a: 'gone.safetensors' })))).rejects.toMatchObject({
      message: expect.stringContaining('gone.safetensors') as string,
      fields: { file: 'gone.safetensors' },
    });
    await expect(open({ 'config.json': config, 'model.gguf': '' })).rejects.toThrow(/model\.gguf/);
  });

  it('a shard that is cut after the download of the rest', async () => {
    const folder = await temporaryFolder({ 'config.json': config, 'model.safetensors': shard({ a: 100 }) });
    await truncate(join(folder, 'model.safetensors'), 40);
    expect(await codeOf(openCheckpoint(folder))).toBe('INVALID_SHARD');
  });

  it('FOLDER_NOT_FOUND or INVALID_ID for what is neither a folder nor a hub id', async () => {
    const folder = await temporaryFolder({ 'config.json': config });
    for (const path of [
      join(folder, 'none'),
      './none/here',
      '~/none',
      'C:\\none',
      join(folder, 'config.json'),
    ]) {
      expect(await codeOf(openCheckpoint(path))).toBe('FOLDER_NOT_FOUND');
    }
    const ids = [
      '',
      'a/b/c',
      'a//b',
      'a b/c',
      '-a/b',
      'a/b.git',
      'a--b/c',
      'a..b/c',
      'a/',
      'é/b',
      'a\0',
      'x'.repeat(97),
    ];
    for (const id of ids) expect(await codeOf(openCheckpoint(id))).toBe('INVALID_ID');
  });

  it('ABORTED with the reason', async () => {
    const folder = await temporaryFolder({ 'config.json': config, ...weights });
    const reason = new Error('enough');
    await expect(openCheckpoint(folder, { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: reason,
    });
  });

  const canDeny = process.getuid?.() !== 0 && process.platform !== 'win32';
  if (!canDeny) console.warn('SKIPPED unreadable folder: this user can read everything (root, or Windows).');
  (canDeny ? it : it.skip)('READ_FAILED: a folder that cannot be read', async () => {
    const folder = await temporaryFolder({ 'config.json': config, ...weights });
    const closed = join(folder, 'closed');
    await mkdir(closed, { mode: 0 });
    try {
      expect(await codeOf(openCheckpoint(closed))).toBe('READ_FAILED');
    } finally {
      await chmod(closed, 0o700);
    }
  });
});
