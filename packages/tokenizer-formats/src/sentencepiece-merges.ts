// The merges of a BPE SentencePiece model. The file stores none: two neighbours join when their union is a piece,
// the best scored union first.

import { checkSplitWork } from './limits.js';
import type { SentencePiece } from './parse-sentencepiece.js';
import { PieceType } from './sentencepiece-schema.js';

interface Merge {
  readonly pair: readonly [string, string];
  readonly score: number;
  readonly leftId: number;
  readonly rightId: number;
}

/**
 * Every split of every piece into two pieces, ordered by the score of the whole; between splits of one score the
 * longer left part goes first, as `generate_merges` of transformers orders them. Control, unknown and byte pieces
 * never come from merging.
 */
export function recoverMerges(pieces: readonly SentencePiece[]): (readonly [string, string])[] {
  const isMergeable = ({ type }: SentencePiece): boolean =>
    type === PieceType.normal || type === PieceType.userDefined || type === PieceType.unused;
  const ids = new Map<string, number>();
  pieces.forEach((entry, id) => {
    if (isMergeable(entry)) ids.set(entry.piece, id);
  });
  checkSplitWork(ids.keys());
  const merges: Merge[] = [];
  for (const [piece, id] of ids) {
    const score = pieces[id]?.score ?? 0;
    for (let cut = 1; cut < piece.length; cut++) {
      const left = piece.slice(0, cut);
      const leftId = ids.get(left);
      if (leftId === undefined) continue;
      const right = piece.slice(cut);
      const rightId = ids.get(right);
      if (rightId !== undefined) merges.push({ pair: [left, right], score, leftId, rightId });
    }
  }
  merges.sort(
    (a, b) =>
      b.score - a.score ||
      b.pair[0].length - a.pair[0].length ||
      b.pair[1].length - a.pair[1].length ||
      a.leftId - b.leftId ||
      a.rightId - b.rightId,
  );
  return merges.map(({ pair }) => pair);
}
