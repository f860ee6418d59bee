// Whether a batch layout and a KV cache fit each other and the rows of a pass.

import { KV_BLOCK_TOKENS, type BatchLayout, type KvCacheShape } from '../batch.js';
import { expect, isCount } from './check-operands.js';

/** @throws BackendError `INVALID_OPERAND` unless sequences cover all rows in order, with blocks for every token. */
export function checkBatch(batch: BatchLayout, cache: KvCacheShape): void {
  let row = 0;
  for (const { rowStart, rowCount, past, blocks } of batch.sequences) {
    expect(
      rowStart === row && isCount(rowCount),
      `Expected a sequence of at least one row from row ${row} but received ${rowCount} rows from row ${rowStart}`,
    );
    row += rowCount;
    expect(
      Number.isSafeInteger(past) && past >= 0,
      `Expected a count of past tokens but received ${past} for the sequence at row ${rowStart}`,
    );
    const needed = Math.ceil((past + rowCount) / KV_BLOCK_TOKENS);
    expect(
      blocks.length >= needed,
      `Expected ${needed} KV blocks for ${past + rowCount} tokens but received ${blocks.length}`,
    );
    const wrong = blocks.subarray(0, needed).find((block) => block < 0 || block >= cache.blocks);
    expect(wrong === undefined, `Expected KV blocks below ${cache.blocks} but received ${wrong}`);
  }
  expect(row === batch.rows, `Expected sequences of ${batch.rows} rows together but they have ${row}`);
}
