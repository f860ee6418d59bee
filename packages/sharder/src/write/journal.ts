// What an interrupted run has finished: the plan in the first line, then a line for each file that is complete and on the
// disk, and for each original that was deleted. A line that was cut off by a crash counts as not written.

import { open, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { toWriteError } from '../errors.js';
import { parseStored, readBounded, shardFileSchema, type ShardFile } from '../manifest.js';
import { shardPlanSchema, type ShardPlan } from '../plan/plan-schema.js';
import { syncFolder, writeFileDurably } from './durable-file.js';

export const JOURNAL_NAME = '.airllm-journal.jsonl';

const headSchema = z.strictObject({ plan: shardPlanSchema });
const entrySchema = z.strictObject({ finished: shardFileSchema });

export interface JournalState {
  readonly plan: ShardPlan;
  readonly finished: readonly ShardFile[];
}

/** Undefined when there is none. @throws ShardError `INVALID_MANIFEST` for a plan that cannot be read */
export async function readJournal(folder: string): Promise<JournalState | undefined> {
  const path = join(folder, JOURNAL_NAME);
  const text = await readBounded(path);
  if (text === undefined) return undefined;
  const [head = '', ...lines] = text.split('\n');
  const { plan } = parseStored(headSchema, head, path);
  const finished: ShardFile[] = [];
  for (const line of lines) {
    const entry = parseEntry(line);
    if (!entry) break;
    finished.push(entry);
  }
  return { plan, finished };
}

/** Undefined for a line that a crash cut off or left blank. */
function parseEntry(line: string): ShardFile | undefined {
  try {
    return entrySchema.parse(JSON.parse(line)).finished;
  } catch {
    return undefined;
  }
}

/** Appends to the journal of a folder. */
export class Journal {
  private constructor(
    private readonly path: string,
    private readonly handle: FileHandle,
  ) {}

  /** A new journal with `state`, in place of the one that is there: its cut line goes, and so do entries of other plans. */
  static async create(folder: string, { plan, finished }: JournalState): Promise<Journal> {
    const path = join(folder, JOURNAL_NAME);
    const lines = [{ plan }, ...finished.map((file) => ({ finished: file }))];
    await writeFileDurably(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return new Journal(path, await open(path, 'a'));
  }

  /** Resolves once the entry is on the disk. */
  async add(file: ShardFile): Promise<void> {
    try {
      await this.handle.appendFile(`${JSON.stringify({ finished: file })}\n`);
      await this.handle.sync();
    } catch (cause) {
      throw toWriteError(cause, this.path);
    }
  }

  async close(): Promise<void> {
    await this.handle.close();
  }

  static async remove(folder: string): Promise<void> {
    await rm(join(folder, JOURNAL_NAME), { force: true });
    await syncFolder(folder);
  }
}
