// Which experts a model used, remembered from run to run in the user's cache: the next run reads those first, while the disk
// is idle. A hint and no more, so whatever is wrong with the file costs a notice; it is read as if a stranger wrote it.

import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, realpath, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExpertUse, StoreLayout } from '@airllm/layer-store';
import { z } from 'zod';

/** Models whose experts are smaller are read in a moment and leave no file. */
const SMALLEST_EXPERT_BYTES = 256 * 1024 * 1024;
/** Some hundred experts in each of some hundred layers, written out. */
const LARGEST_FILE_BYTES = 4 * 1024 * 1024;
const VERSION = 1;

const index = z.int().nonnegative();
const schema = z.strictObject({
  version: z.literal(VERSION),
  /** [layer, expert, uses] */
  experts: z.array(z.tuple([index, index, z.number().positive().max(1e6)])),
});

/** Whether remembering the experts of this model can pay. */
export function isWorthRemembering({ expertTiles }: StoreLayout): boolean {
  const bytes = [...expertTiles.values()].reduce((sum, { bufferBytes }) => sum + bufferBytes, 0);
  return bytes >= SMALLEST_EXPERT_BYTES;
}

/**
 * The file for a model: in `AIRLLM_CACHE`, or `airllm` in the user's cache, by where its weights lie and what its experts are.
 * Never beside them: a checkpoint is not written to.
 */
export async function expertMemoryPath(
  weightFile: string,
  { experts, weightBytes }: StoreLayout,
): Promise<string> {
  const key = [VERSION, await realpath(weightFile), weightBytes, experts.length].join('\n');
  const root =
    process.env['AIRLLM_CACHE'] || join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'airllm');
  return join(root, 'experts', `${createHash('sha256').update(key).digest('hex')}.json`);
}

/**
 * What was remembered: empty where there is no file, or where it is not what {@link writeExpertUses} writes, which
 * `onNotice` hears of.
 */
export async function readExpertUses(
  path: string,
  layout: StoreLayout,
  onNotice: (line: string) => void,
): Promise<ExpertUse[]> {
  try {
    const text = await readBounded(path);
    if (text === undefined) return [];
    const { experts } = schema.parse(JSON.parse(text));
    if (experts.length > layout.experts.length)
      throw new RangeError(`Expected at most ${layout.experts.length} experts but found ${experts.length}`);
    return experts.map(([stage, expert, uses]) => ({ stage, expert, uses }));
  } catch (error) {
    const reason = error instanceof z.ZodError ? (error.issues[0]?.message ?? '') : String(error);
    onNotice(`airllm: ignoring ${path}, which is not a list of used experts (${reason}); it can be deleted`);
    return [];
  }
}

/** Undefined where there is no file. */
async function readBounded(path: string): Promise<string | undefined> {
  const handle = await open(path).catch((error: unknown) => {
    if (isAbsent(error)) return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    if (size > LARGEST_FILE_BYTES)
      throw new RangeError(`Expected at most ${LARGEST_FILE_BYTES} bytes but found ${size}`);
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await handle.read(bytes, 0, size, 0);
    return bytes.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

function isAbsent(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT';
}

/** Replaces the file whole or not at all; what prevents it is told to `onNotice`. */
export async function writeExpertUses(
  path: string,
  used: readonly ExpertUse[],
  onNotice: (line: string) => void,
): Promise<void> {
  const experts = used.map(({ stage, expert, uses }) => [stage, expert, Number(uses.toPrecision(4))]);
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, 'wx');
    try {
      await handle.writeFile(JSON.stringify({ version: VERSION, experts }));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    onNotice(`airllm: could not remember the experts used in ${path} (${String(error)})`);
  }
}
