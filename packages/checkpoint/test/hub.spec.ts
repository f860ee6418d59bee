// Downloads through the cache, against a server on this machine.

import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fixturesFolder } from '@airllm/fixtures';
import { openCheckpoint, type DownloadProgress } from '../src/index.js';
import { COMMIT, FakeHub, gitOid, sha256, type FakeHubOptions } from './fake-hub.js';
import { codeOf, index, shard, temporaryFolder, type Files } from './make-checkpoint.js';

const CONFIG = '{"model_type":"llama"}';
const WEIGHTS = shard({ a: 300_000 });
const SINGLE: Files = {
  'config.json': CONFIG,
  'tokenizer.json': '{"version":"1.0"}',
  'chat_template.jinja': '{{ messages }}',
  'model.safetensors': WEIGHTS,
  'pytorch_model.bin': 'the same weights again',
  'consolidated.safetensors': shard({ again: 10 }),
  'README.md': '# card',
  'modeling_custom.py': 'print("never fetched")',
};

// The environment of whoever runs the tests must not decide their outcome.
const VARIABLES = [
  'HF_TOKEN',
  'HUGGING_FACE_HUB_TOKEN',
  'HF_HUB_OFFLINE',
  'TRANSFORMERS_OFFLINE',
  'HF_HUB_CACHE',
  'HF_ENDPOINT',
  'AIRLLM_CACHE',
];
const saved = new Map<string, string | undefined>();
let home: string;
let hub: FakeHub;
beforeEach(async () => {
  for (const name of [...VARIABLES, 'HF_HOME']) {
    saved.set(name, process.env[name]);
    delete process.env[name];
  }
  home = await temporaryFolder();
  process.env['HF_HOME'] = home;
});
afterEach(async () => {
  await hub[Symbol.asyncDispose]();
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

async function startHub(files: Files, options?: FakeHubOptions): Promise<void> {
  hub = await FakeHub.start(files, options);
  process.env['HF_ENDPOINT'] = hub.endpoint;
}
const repo = () => join(home, 'hub/models--owner--name');
const incomplete = () => join(repo(), 'blobs', `${sha256(WEIGHTS)}.incomplete`);

describe('a hub id', () => {
  it('is downloaded into the layout Python uses, needed files only', async () => {
    await startHub(SINGLE);
    const checkpoint = await openCheckpoint('owner/name');
    expect(checkpoint.id).toBe('owner/name');
    expect(checkpoint.config).toEqual({ model_type: 'llama' });
    expect(checkpoint.tensors.get('a')?.byteLength).toBe(300_000);
    expect(await checkpoint.readText('chat_template.jinja')).toBe('{{ messages }}');

    const snapshot = join(repo(), 'snapshots', COMMIT);
    expect(checkpoint.folder).toBe(snapshot);
    expect(await readFile(join(repo(), 'refs/main'), 'utf8')).toBe(COMMIT);
    const needed = ['chat_template.jinja', 'config.json', 'model.safetensors', 'tokenizer.json'];
    expect((await readdir(snapshot)).sort()).toEqual(needed);
    expect(await readlink(join(snapshot, 'model.safetensors'))).toBe(`../../blobs/${sha256(WEIGHTS)}`);
    expect(await readlink(join(snapshot, 'config.json'))).toBe(`../../blobs/${gitOid(Buffer.from(CONFIG))}`);
    expect(await readdir(join(repo(), 'blobs'))).toHaveLength(4);
    expect(hub.bodyRequests.map(({ path }) => path.split('/').at(-1)).sort()).toEqual(needed);
  });

  it('brings the named chat templates of their folder, and nothing else of it or of other folders', async () => {
    await startHub({
      ...SINGLE,
      'additional_chat_templates/tool_use.jinja': '{{ tools }}',
      'additional_chat_templates/README.md': 'never fetched',
      'additional_chat_templates/deeper/rag.jinja': 'never fetched',
      'original/params.json': '{}',
    });
    const { folder } = await openCheckpoint('owner/name');
    const templates = join(folder, 'additional_chat_templates');
    expect(await readdir(templates)).toEqual(['tool_use.jinja']);
    expect(await readFile(join(templates, 'tool_use.jinja'), 'utf8')).toBe('{{ tools }}');
    expect(await readlink(join(templates, 'tool_use.jinja'))).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\//);
    expect(hub.bodyRequests.map(({ path }) => path).join()).not.toMatch(/README|deeper|original/);
  });

  it('is not fetched again', async () => {
    await startHub(SINGLE);
    await openCheckpoint('owner/name');
    hub.requests.length = 0;
    await openCheckpoint('owner/name');
    expect(hub.requests.length).toBeGreaterThan(0);
    expect(hub.bodyRequests).toEqual([]);
  });

  it('uses blobs that Python has left', async () => {
    await startHub(SINGLE);
    await mkdir(join(repo(), 'blobs'), { recursive: true });
    await writeFile(join(repo(), 'blobs', sha256(WEIGHTS)), WEIGHTS);
    await openCheckpoint('owner/name');
    expect(hub.storageRequests).toEqual([]);
  });

  it('brings the shards of the index and no other', async () => {
    await startHub({
      'config.json': CONFIG,
      'model.safetensors.index.json': index({ a: 'model-1-of-2.safetensors', b: 'model-2-of-2.safetensors' }),
      'model-1-of-2.safetensors': shard({ a: 5 }),
      'model-2-of-2.safetensors': shard({ b: 6 }),
      'old.safetensors': shard({ c: 7 }),
    });
    const { tensors } = await openCheckpoint('owner/name');
    expect([...tensors.keys()]).toEqual(['a', 'b']);
    expect(hub.storageRequests.map(({ path }) => path)).not.toContain('/storage/old.safetensors');
  });

  it('brings torch files when there is no safetensors', async () => {
    const name = 'pytorch_model-00001-of-00003.bin';
    const torchShard = await readFile(join(fixturesFolder, 'llama-bin-sharded', name));
    await startHub({
      'config.json': CONFIG,
      'pytorch_model.bin.index.json': index({ 'lm_head.weight': name }),
      [name]: torchShard,
      'training_args.bin': 'never fetched',
      'optimizer.pt': 'never fetched',
      'tf_model.h5': 'never fetched',
    });
    process.env['AIRLLM_CACHE'] = join(home, 'airllm'); // The shard has a transposed tensor.
    const { tensors, folder } = await openCheckpoint('owner/name');
    expect(tensors.get('lm_head.weight')).toMatchObject({
      dtype: 'BF16',
      shape: [256, 64],
      path: join(folder, name),
    });
    expect((await readdir(folder)).sort()).toEqual(['config.json', name, 'pytorch_model.bin.index.json']);
  });

  it('may have no owner', async () => {
    await startHub(SINGLE, { id: 'gpt' });
    const { folder } = await openCheckpoint('gpt');
    expect(folder).toBe(join(home, 'hub/models--gpt/snapshots', COMMIT));
  });

  it('keeps one blob of files with the same contents', async () => {
    await startHub({ ...SINGLE, 'tokenizer_config.json': CONFIG });
    const { folder } = await openCheckpoint('owner/name');
    expect(await readlink(join(folder, 'tokenizer_config.json'))).toBe(
      await readlink(join(folder, 'config.json')),
    );
    expect(hub.bodyRequests).toHaveLength(4);
  });

  it('reports progress from the first byte to the last', async () => {
    await startHub(SINGLE);
    const events: DownloadProgress[] = [];
    await openCheckpoint('owner/name', { onProgress: (event) => events.push(event) });
    const received = events
      .filter(({ file }) => file === 'model.safetensors')
      .map((event) => event.receivedBytes);
    expect(received[0]).toBe(0);
    expect(received.at(-1)).toBe(WEIGHTS.length);
    expect(received).toEqual([...received].sort((a, b) => a - b));
    expect(new Set(events.map(({ totalBytes }) => totalBytes))).toContain(WEIGHTS.length);
  });
});

describe('a download that stops', () => {
  it('goes on from where the connection was lost', async () => {
    await startHub(SINGLE);
    hub.cuts.push(100_000);
    await openCheckpoint('owner/name');
    expect(hub.storageRequests.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-']);
  });

  it('goes on in the next run, with the bytes kept', async () => {
    await startHub(SINGLE);
    const controller = new AbortController();
    hub.cuts.push(50_000);
    const stopped = openCheckpoint('owner/name', {
      signal: controller.signal,
      onProgress: ({ file, receivedBytes }) => {
        if (file === 'model.safetensors' && receivedBytes >= 50_000) controller.abort(new Error('ctrl-c'));
      },
    });
    expect(await codeOf(stopped)).toBe('ABORTED');
    expect((await readFile(incomplete())).length).toBe(50_000);
    expect(await codeOf(openCheckpoint('owner/name', { offline: true }))).toBe('OFFLINE');

    hub.requests.length = 0;
    const { tensors } = await openCheckpoint('owner/name');
    expect(tensors.size).toBe(1);
    expect(hub.storageRequests.map(({ range }) => range)).toEqual(['bytes=50000-']);
  });

  it('starts over when the server cannot send the rest', async () => {
    await startHub(SINGLE, { noRange: true });
    hub.cuts.push(100_000);
    await openCheckpoint('owner/name');
    expect(await readFile(join(repo(), 'blobs', sha256(WEIGHTS)))).toEqual(Buffer.from(WEIGHTS));
  });

  it('is given up when it gets no further', async () => {
    await startHub(SINGLE);
    hub.cuts.push(0, 0, 0, 0, 0, 0, 0, 0);
    expect(await codeOf(openCheckpoint('owner/name'))).toBe('HUB_UNREACHABLE');
  });

  it('replaces a kept part that is damaged', async () => {
    await startHub(SINGLE);
    await mkdir(join(repo(), 'blobs'), { recursive: true });
    await writeFile(incomplete(), Buffer.alloc(1000, 0xee));
    await openCheckpoint('owner/name');
    expect(hub.storageRequests.map(({ range }) => range)).toEqual(['bytes=1000-', undefined]);
    expect(await readFile(join(repo(), 'blobs', sha256(WEIGHTS)))).toEqual(Buffer.from(WEIGHTS));
  });

  it.each(['model.safetensors', 'config.json'])('refuses %s with other bytes than listed', async (file) => {
    await startHub(SINGLE);
    const other = Buffer.from(SINGLE[file] ?? '');
    other[other.length - 1] = 0x20;
    hub.damage.set(file, other);
    expect(await codeOf(openCheckpoint('owner/name'))).toBe('CORRUPT_DOWNLOAD');
    expect((await readdir(join(repo(), 'blobs'))).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
  });
});

describe('offline', () => {
  it('uses the cache and asks nobody', async () => {
    await startHub(SINGLE);
    await openCheckpoint('owner/name');
    hub.requests.length = 0;
    process.env['HF_HUB_OFFLINE'] = '1';
    expect((await openCheckpoint('owner/name')).tensors.size).toBe(1);
    expect((await openCheckpoint('owner/name', { revision: COMMIT })).tensors.size).toBe(1);
    expect(hub.requests).toEqual([]);
  });

  it('refuses what is not in the cache, and what is there in part', async () => {
    await startHub(SINGLE);
    expect(await codeOf(openCheckpoint('owner/name', { offline: true }))).toBe('OFFLINE');
    await openCheckpoint('owner/name');
    await rm(join(repo(), 'blobs', sha256(WEIGHTS)));
    expect(await codeOf(openCheckpoint('owner/name', { offline: true }))).toBe('OFFLINE');
    expect(hub.bodyRequests).toHaveLength(4);
  });

  it('by lack of a network also uses the cache', async () => {
    await startHub(SINGLE);
    await openCheckpoint('owner/name');
    await hub[Symbol.asyncDispose]();
    expect((await openCheckpoint('owner/name')).tensors.size).toBe(1);
    expect(await codeOf(openCheckpoint('owner/other'))).toBe('HUB_UNREACHABLE');
  });
});

describe('access', () => {
  it('sends the token to the hub, not to its storage', async () => {
    await startHub(SINGLE, { token: 'secret' });
    await openCheckpoint('owner/name', { hfToken: 'secret' });
    expect(new Set(hub.bodyRequests.map(({ authorization }) => authorization))).toEqual(
      new Set(['Bearer secret']),
    );
    expect(hub.storageRequests.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  it('follows a list of several pages, without the token when it leaves the hub', async () => {
    await startHub(SINGLE, { token: 'secret', listElsewhere: true });
    expect((await openCheckpoint('owner/name', { hfToken: 'secret' })).tensors.size).toBe(1);
    const pages = hub.requests.filter(({ path }) => path === '/elsewhere' || path.includes('/tree/'));
    expect(pages.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined]);
  });

  it('finds the token in HF_TOKEN and in the file Python leaves', async () => {
    await startHub(SINGLE, { token: 'secret' });
    process.env['HF_TOKEN'] = 'secret';
    await openCheckpoint('owner/name');
    delete process.env['HF_TOKEN'];
    expect(await codeOf(openCheckpoint('owner/name'))).toBe('ACCESS_DENIED');
    await writeFile(join(home, 'token'), 'secret\n');
    await openCheckpoint('owner/name');
  });

  it.each([
    [401, 'GatedRepo', 'ACCESS_DENIED'],
    [403, 'GatedRepo', 'ACCESS_DENIED'],
    [401, 'RepoNotFound', 'ACCESS_DENIED'],
    [404, 'RepoNotFound', 'REPO_NOT_FOUND'],
    [404, 'RevisionNotFound', 'REPO_NOT_FOUND'],
    [500, undefined, 'HUB_FAILED'],
  ])('status %i %s is %s', async (status, code, expected) => {
    await startHub(SINGLE, { refuse: { status, ...(code && { code }) } });
    expect(await codeOf(openCheckpoint('owner/name'))).toBe(expected);
  });

  it('says to set HF_TOKEN for a gated repository', async () => {
    await startHub(SINGLE, { refuse: { status: 403, code: 'GatedRepo' } });
    await expect(openCheckpoint('owner/name')).rejects.toThrow(/GatedRepo.*set HF_TOKEN/);
  });
});

describe('refused before anything large is fetched', () => {
  it.each([
    ['NOT_YET', { 'config.json': CONFIG, 'model.gguf': 'x' }],
    ['AMBIGUOUS_WEIGHTS', { 'config.json': CONFIG, 'consolidated.00.pth': 'x', 'consolidated.01.pth': 'x' }],
    ['NO_WEIGHTS', { 'config.json': CONFIG }],
    [
      'INVALID_INDEX',
      { 'config.json': CONFIG, 'model.safetensors.index.json': index({ a: '../../../x.safetensors' }) },
    ],
    [
      'SHARD_MISSING',
      { 'config.json': CONFIG, 'model.safetensors.index.json': index({ a: 'gone.safetensors' }) },
    ],
  ])('%s', async (code, files) => {
    await startHub(files);
    expect(await codeOf(openCheckpoint('owner/name'))).toBe(code);
    expect(hub.storageRequests).toEqual([]);
  });

  it('INVALID_OPTION: a revision or endpoint that is none', async () => {
    await startHub(SINGLE);
    for (const revision of ['', '../main', 'a/../b', '/main', 'a b', 'main\n', 'x'.repeat(300)]) {
      expect(await codeOf(openCheckpoint('owner/name', { revision }))).toBe('INVALID_OPTION');
    }
    expect(await codeOf(openCheckpoint('owner/name', { endpoint: 'ftp://x' }))).toBe('INVALID_OPTION');
    expect(hub.requests).toEqual([]);
  });

  it('HUB_FAILED: an endpoint that is no hub', async () => {
    await startHub(SINGLE, { refuse: { status: 200 } });
    expect(await codeOf(openCheckpoint('owner/name'))).toBe('HUB_FAILED');
  });
});
