// Whether a cache can be made, and whether a batch layout fits it and the rows of a pass.

import { KV_BLOCK_TOKENS, type BatchLayout, type CacheLayerShape, type KvCacheShape } from '../batch.js';
import { expect, isCount } from './check-operands.js';

/** @throws BackendError `INVALID_OPERAND` unless every size is one, with blocks and slots where layers need them. */
export function checkCacheShape({ layers, blocks, slots }: KvCacheShape): void {
  const needs = (kind: CacheLayerShape['kind']): boolean => layers.some((layer) => layer.kind === kind);
  expect(
    needs('attention') ? isCount(blocks) : isCountOrZero(blocks),
    `Expected KV blocks for the attention layers of a cache but received ${blocks}`,
  );
  expect(
    needs('recurrent') ? isCount(slots) : isCountOrZero(slots),
    `Expected slots for the recurrent layers of a cache but received ${slots}`,
  );
  for (const { kind, ...sizes } of layers) {
    const wrong = Object.entries(sizes).find(([, size]) => typeof size === 'number' && !isCount(size));
    expect(!wrong, `Expected sizes of at least 1 for an ${kind} layer but received ${wrong?.join(' ')}`);
  }
}

/** @throws BackendError `INVALID_OPERAND` unless sequences cover all `rows` of a command in order. */
export function checkRows(batch: BatchLayout, rows: number): void {
  let row = 0;
  for (const { rowStart, rowCount, past } of batch.sequences) {
    expect(
      rowStart === row && isCount(rowCount),
      `Expected a sequence of at least one row from row ${row} but received ${rowCount} rows from row ${rowStart}`,
    );
    row += rowCount;
    expect(
      isCountOrZero(past),
      `Expected a count of past tokens but received ${past} for the sequence at row ${rowStart}`,
    );
  }
  expect(
    row === rows && batch.rows === rows,
    `Expected a batch and sequences of ${rows} rows together but they have ${batch.rows} and ${row}`,
  );
}

/** @throws BackendError `INVALID_OPERAND` unless sequences have blocks for every token. */
export function checkBlocks(batch: BatchLayout, cache: KvCacheShape): void {
  for (const { rowCount, past, blocks } of batch.sequences) {
    const needed = Math.ceil((past + rowCount) / KV_BLOCK_TOKENS);
    expect(
      blocks.length >= needed,
      `Expected ${needed} KV blocks for ${past + rowCount} tokens but received ${blocks.length}`,
    );
    const wrong = blocks.subarray(0, needed).find((block) => block < 0 || block >= cache.blocks);
    expect(wrong === undefined, `Expected KV blocks below ${cache.blocks} but received ${wrong}`);
  }
}

/** @throws BackendError `INVALID_OPERAND` unless each sequence has a slot of its own. */
export function checkSlots(batch: BatchLayout, cache: KvCacheShape): void {
  const taken = new Set<number>();
  for (const { slot } of batch.sequences) {
    expect(
      isCountOrZero(slot) && slot < cache.slots,
      `Expected a slot below ${cache.slots} but received ${slot}`,
    );
    expect(!taken.has(slot), `Expected a slot of its own for each sequence but received ${slot} twice`);
    taken.add(slot);
  }
}

function isCountOrZero(value: number): boolean {
  return value === 0 || isCount(value);
}
