// The command as users run it: a child process, its output and its exit code.

import { execFile, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { demoModelFolder } from '@airllm/demo-model';

const here = dirname(fileURLToPath(import.meta.url));
const bin = join(here, '../dist/bin.js');

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

function airllm(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: '1' };
    const child = execFile(process.execPath, [bin, ...args], { env }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

describe('airllm run', () => {
  it('asks a chat model, text on standard output and the rest on standard error', async () => {
    const { code, stdout, stderr } = await airllm(
      'run',
      demoModelFolder,
      'What is the capital of United States?',
    );
    expect(stdout).toBe('The capital of the United States is Washington, D.C.\n');
    expect(stderr).toMatch(/^head of 4 · .* in memory · .* read · 13 tokens, .* tok\/s\n$/);
    expect(code).toBe(0);
  });

  it('gives raw text to the model as it is, and ends before a stop string', async () => {
    const { stdout } = await airllm(
      'run',
      demoModelFolder,
      'The capital of France is',
      '--raw',
      '--stop',
      'aris',
    );
    expect(stdout).toBe(' P\n');
  });

  it('repeats a sampled text by its seed', async () => {
    const args = ['run', demoModelFolder, 'Tell me a story.', '-t', '0.9', '--seed', '3', '-n', '40'];
    const [first, second, other] = await Promise.all([
      airllm(...args),
      airllm(...args),
      airllm(...args, '--seed', '4'),
    ]);
    expect(second.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
  });

  it('runs on the reference backend with the same text', async () => {
    const { stdout } = await airllm(
      'run',
      demoModelFolder,
      'Name the planets.',
      '--device',
      'reference',
      '-n',
      '12',
    );
    const native = await airllm('run', demoModelFolder, 'Name the planets.', '-n', '12');
    expect(stdout).toBe(native.stdout);
  });

  it.each([
    [['run', '/no/such/folder', 'hi'], 'FOLDER_NOT_FOUND'],
    [['run', demoModelFolder, 'hi', '--memory', '20MB'], 'BUDGET_TOO_SMALL'],
    [['run', demoModelFolder, 'hi', '--memory', 'lots'], 'INVALID_OPTION'],
    [['run', demoModelFolder, 'hi', '--device', 'tpu'], 'INVALID_OPTION'],
    [['plan', demoModelFolder, '--device', 'cpu', '--device-memory', '1GB'], 'INVALID_OPTION'],
  ])('%j ends with %s', async (args, expected) => {
    const { code, stdout, stderr } = await airllm(...args);
    expect(stderr).toContain(`[${expected}]`);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  it('stops at Ctrl-C with exit code 130', async () => {
    const child = spawn(process.execPath, [
      bin,
      'run',
      demoModelFolder,
      'Once',
      '--raw',
      '--ignore-eos',
      '-n',
      '500',
    ]);
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.stdout.once('data', () => child.kill('SIGINT'));
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect(code).toBe(130);
    expect(stderr).toContain('interrupted');
  });
});

describe('airllm plan', () => {
  it('adds up, without loading', async () => {
    const { code, stdout } = await airllm('plan', demoModelFolder, '--memory', '500MB', '--json');
    const plan = JSON.parse(stdout) as Record<string, number> & {
      layers: { bytes: number; pinnedBytes: number }[];
    };
    expect(code).toBe(0);
    expect(plan['hostBytes']).toBe(500e6);
    expect(plan.layers).toHaveLength(5);
    expect(plan.layers.every(({ bytes, pinnedBytes }) => bytes === pinnedBytes)).toBe(true);
  });

  it('is a table for people', async () => {
    const { stdout } = await airllm('plan', demoModelFolder, '--memory', '500MB');
    expect(stdout).toContain('budget 500 MB');
    expect(stdout).toMatch(/layer 3 .*│ 0 B/);
    expect(stdout).toMatch(/About .* s per token; measured now: memory .*B\/s|No prediction/);
  });
});

it('airllm inspect lists every tensor', async () => {
  const { stdout } = await airllm('inspect', demoModelFolder, '--json');
  const { family, tensors } = JSON.parse(stdout) as {
    family: string;
    tensors: { name: string; shape: number[] }[];
  };
  expect(family).toBe('llama');
  // Embedding, final norm and 4 layers of 2 norms and 7 matrices.
  expect(tensors).toHaveLength(2 + 4 * 9);
  expect(tensors.find(({ name }) => name === 'model.embed_tokens.weight')?.shape).toEqual([2048, 256]);
});

describe('airllm models', () => {
  it('lists the families', async () => {
    const { stdout } = await airllm('models');
    expect(stdout).toContain('LlamaForCausalLM');
    expect(stdout).toContain('qwen3');
  });

  it('says what a config would run as', async () => {
    const { code, stdout } = await airllm('models', demoModelFolder);
    // 2,754,816 parameters, says the model card.
    expect(stdout).toMatch(/config\.json +│ llama +│ 4 +│ 0\.00 B/);
    expect(stdout).toContain('1 of 1 run');
    expect(code).toBe(0);
  });
});
