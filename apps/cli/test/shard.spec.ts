// `airllm shard` and `airllm verify` as users run them.

import { execFile, spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoModelFolder } from '@airllm/demo-model';

const bin = join(dirname(fileURLToPath(import.meta.url)), '../dist/bin.js');

let base: string;
beforeAll(async () => void (base = await mkdtemp(join(tmpdir(), 'airllm-cli-shard-'))));
afterAll(() => rm(base, { recursive: true, force: true }));

function airllm(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = execFile(process.execPath, [bin, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

it('shards, verifies, finds damage, repairs it, and runs what came of it', async () => {
  const out = join(base, 'out');
  const { code, stdout, stderr } = await airllm(
    'shard',
    demoModelFolder,
    '-c',
    '8bit',
    '--out',
    out,
    '--verify',
  );
  expect(stderr).toMatch(/sharding layer-0\.safetensors · 2 of 6 files · .* · .*\/s · \d+ s left/);
  expect(stderr).toMatch(/6 files, .* MB, verified, largest relative error of a tensor \d\.\d\d%/);
  expect(code).toBe(0);
  const folder = stdout.trim();
  expect(dirname(folder)).toBe(out);
  expect(await airllm('verify', folder)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^ok /) });

  await truncate(join(folder, 'layer-2.safetensors'), 9000);
  const damaged = await airllm('verify', folder);
  expect(damaged.stderr).toContain('layer-2.safetensors is not as long as it was');
  expect(damaged.stderr).toContain('[CORRUPT_SHARD]');
  expect(damaged.code).toBe(1);
  const repaired = await airllm('verify', folder, '--repair');
  expect(repaired.stderr).toContain('layer-2.safetensors is not as long as it was: making it again');
  expect(repaired.code).toBe(0);

  const question = 'What is the capital of United States?';
  expect((await airllm('run', folder, question)).stdout).toContain('Washington');
});

it('runs with compression, sharding once, and plans with it', async () => {
  const shards = join(base, 'shards');
  const args = [
    'run',
    demoModelFolder,
    'What is the capital of United States?',
    '-c',
    'lossless',
    '--shards',
    shards,
  ];
  const first = await airllm(...args);
  expect(first.stderr).toContain('sharding');
  const second = await airllm(...args);
  expect(second.stderr).not.toContain('sharding');
  expect(second.stdout).toBe(first.stdout);
  expect(second.stdout).toContain('Washington');
  const plan = await airllm('plan', demoModelFolder, '-c', 'lossless', '--shards', shards, '--json');
  expect(plan.code).toBe(0);
  const refused = await airllm('plan', demoModelFolder, '-c', '4bit', '--shards', shards);
  expect(refused.stderr).toContain('[NOT_SHARDED]');
});

it('writes the layout of AirLLM, and deletes the original where it is told to', async () => {
  const model = join(base, 'model');
  await cp(demoModelFolder, model, { recursive: true });
  const { code, stdout, stderr } = await airllm(
    'shard',
    model,
    '--layout',
    'airllm',
    '-c',
    '4bit',
    '--delete-original',
  );
  expect(stdout.trim()).toBe(join(model, 'splitted_model.4bit'));
  expect(stderr).toMatch(/deleted \d+ original files?/);
  expect(code).toBe(0);
  expect(await readdir(stdout.trim())).toEqual(
    expect.arrayContaining([
      'model.embed_tokens.safetensors',
      'model.layers.0.safetensors.done',
      'model.norm.safetensors',
    ]),
  );
  expect((await readdir(model)).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
  expect((await airllm('run', model, 'Hello', '-n', '4')).code).toBe(0);
});

it('stops cleanly at Ctrl-C and goes on the next time', async () => {
  const out = join(base, 'interrupted');
  const child = spawn(process.execPath, [bin, 'shard', demoModelFolder, '-c', '4bit', '--out', out]);
  child.stderr.once('data', () => child.kill('SIGINT'));
  const code = await new Promise((resolve) => child.once('close', resolve));
  // It may have been done before the signal came.
  expect([0, 130]).toContain(code);
  const { code: next, stdout } = await airllm(
    'shard',
    demoModelFolder,
    '-c',
    '4bit',
    '--out',
    out,
    '--verify',
  );
  expect(next).toBe(0);
  expect((await readdir(stdout.trim())).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

it.each([
  [['shard', '/no/such/model'], 'FOLDER_NOT_FOUND'],
  [['shard', demoModelFolder, '-c', '3bit'], 'INVALID_OPTION'],
  [['verify', demoModelFolder], 'NOT_SHARDED'],
])('%j ends with %s', async (args, expected) => {
  const { code, stderr } = await airllm(...args);
  expect(stderr).toContain(`[${expected}]`);
  expect(code).toBe(1);
});
