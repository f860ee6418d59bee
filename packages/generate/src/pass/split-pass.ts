// Splits the rows of a long pass into chunks of bounded size.

import type { SequenceSlice } from '@airllm/backend';

/** A run of tokens that one sequence adds in a pass. */
export interface PassSequence {
  readonly tokens: readonly number[];
  /** Tokens already in the KV cache. */
  readonly past: number;
  readonly blocks: Int32Array;
  /** Its recurrent state. */
  readonly slot: number;
  /** Tokens of its prompt, which fixes the frequencies of some models (Qwen 1). */
  readonly promptLength: number;
  /** Positions (0 = first of `tokens`) whose logits are wanted, ascending. */
  readonly logitPositions: readonly number[];
}

/** Rows of one chunk, in order. */
export interface PassChunk {
  readonly tokens: readonly number[];
  readonly slices: readonly (SequenceSlice & {
    readonly sequence: number;
    readonly finalLength: number;
    readonly promptLength: number;
  })[];
  /** Rows whose logits are wanted, ascending, and the sequences they belong to. */
  readonly logitRows: readonly { readonly row: number; readonly sequence: number }[];
}

/** Fills chunks of at most `maxRows` rows with the sequences' tokens, in order; a sequence may span chunks. */
export function splitPass(sequences: readonly PassSequence[], maxRows: number): PassChunk[] {
  const chunks: PassChunk[] = [];
  let tokens: number[] = [];
  let slices: PassChunk['slices'][number][] = [];
  let logitRows: { row: number; sequence: number }[] = [];
  const close = (): void => {
    if (tokens.length > 0) chunks.push({ tokens, slices, logitRows });
    [tokens, slices, logitRows] = [[], [], []];
  };
  sequences.forEach((sequence, index) => {
    const { past, blocks, slot, promptLength, logitPositions } = sequence;
    const finalLength = past + sequence.tokens.length;
    for (let done = 0; done < sequence.tokens.length;) {
      const rowStart = tokens.length;
      const rowCount = Math.min(sequence.tokens.length - done, maxRows - rowStart);
      tokens.push(...sequence.tokens.slice(done, done + rowCount));
      slices.push({
        sequence: index,
        rowStart,
        rowCount,
        past: past + done,
        blocks,
        slot,
        finalLength,
        promptLength,
      });
      for (const position of logitPositions) {
        if (position >= done && position < done + rowCount) {
          logitRows.push({ row: rowStart + position - done, sequence: index });
        }
      }
      done += rowCount;
      if (tokens.length === maxRows) close();
    }
  });
  close();
  return chunks;
}
