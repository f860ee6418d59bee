// Appends keys and values, then attends: one list tells every row its position and its sequence's blocks.

import type { CommandOf, OpContext } from '../dispatch/op-context.js';
import { attend } from './attend.js';
import { appendRows, rowTables } from './cache-rows.js';
import { sequenceMemory } from './sequence-memory.js';

/** q, out [T, heads · headDim], k, v [T, kvHeads · headDim], sinks [heads]. */
export function attention(context: OpContext, command: CommandOf<'attention'>): void {
  const { k, v, headDim } = command;
  const { batch, layer } = sequenceMemory(context, command.layer);
  appendRows(context, { k, v, headDim, layer });
  const { q, out, heads, kvHeads, scale, window, chunk, softcap, sinks, alibiSlopes } = command;
  attend(context, {
    ...{ q, out, heads, kvHeads, headDim, scale, window, chunk, softcap, sinks, alibiSlopes },
    io: context.arena,
    keys: layer.first,
    values: layer.second,
    valueDim: headDim,
    tables: rowTables(batch),
  });
}
