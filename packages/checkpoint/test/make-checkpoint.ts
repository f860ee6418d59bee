// Small checkpoints for tests: files as bytes, and folders of them.

import { Buffer } from 'node:buffer';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Files = Record<string, string | Uint8Array>;

/** A safetensors file of U8 vectors, put together by hand: name to number of bytes. */
export function shard(tensors: Record<string, number>): Uint8Array {
  let offset = 0;
  const entries = Object.entries(tensors).map(([name, bytes]) => {
    const begin = offset;
    offset += bytes;
    return `${JSON.stringify(name)}:{"dtype":"U8","shape":[${bytes}],"data_offsets":[${begin},${offset}]}`;
  });
  const json = Buffer.from(`{${entries.join(',')}}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(offset, 7)]);
}

export function index(weightMap: Record<string, string>): string {
  return JSON.stringify({ metadata: { total_size: 1 }, weight_map: weightMap });
}

/** A folder that is removed after the test that asked for it. */
export async function temporaryFolder(files: Files = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'airllm-checkpoint-'));
  created.push(folder);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  return folder;
}

const created: string[] = [];
afterEach(async () => {
  for (const folder of created.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** The code of the error a promise rejects with; fails the test when it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Error) || !('code' in error))
    throw new Error(`expected a typed error, got ${String(error)}`);
  return error.code;
}
