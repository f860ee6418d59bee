import { splitPass, type PassSequence } from './split-pass.js';

const sequence = (length: number, past = 0, logitPositions = [length - 1]): PassSequence => ({
  tokens: Array.from({ length }, (_, i) => 100 * length + i),
  past,
  blocks: Int32Array.of(length),
  slot: 0,
  promptLength: length,
  logitPositions,
});

describe('splitPass', () => {
  it('is one chunk where everything fits', () => {
    const [a, b] = [sequence(3), sequence(1, 7)];
    expect(splitPass([a, b], 4)).toEqual([
      {
        tokens: [300, 301, 302, 100],
        slices: [
          {
            sequence: 0,
            rowStart: 0,
            rowCount: 3,
            past: 0,
            blocks: a.blocks,
            slot: 0,
            finalLength: 3,
            promptLength: a.promptLength,
          },
          {
            sequence: 1,
            rowStart: 3,
            rowCount: 1,
            past: 7,
            blocks: b.blocks,
            slot: 0,
            finalLength: 8,
            promptLength: b.promptLength,
          },
        ],
        logitRows: [
          { row: 2, sequence: 0 },
          { row: 3, sequence: 1 },
        ],
      },
    ]);
  });

  it('goes on with a sequence where the last chunk left it', () => {
    const [a, b] = [sequence(5, 2, [0, 4]), sequence(2)];
    expect(splitPass([a, b], 3)).toEqual([
      {
        tokens: [500, 501, 502],
        slices: [
          {
            sequence: 0,
            rowStart: 0,
            rowCount: 3,
            past: 2,
            blocks: a.blocks,
            slot: 0,
            finalLength: 7,
            promptLength: a.promptLength,
          },
        ],
        logitRows: [{ row: 0, sequence: 0 }],
      },
      {
        tokens: [503, 504, 200],
        slices: [
          {
            sequence: 0,
            rowStart: 0,
            rowCount: 2,
            past: 5,
            blocks: a.blocks,
            slot: 0,
            finalLength: 7,
            promptLength: a.promptLength,
          },
          {
            sequence: 1,
            rowStart: 2,
            rowCount: 1,
            past: 0,
            blocks: b.blocks,
            slot: 0,
            finalLength: 2,
            promptLength: b.promptLength,
          },
        ],
        logitRows: [{ row: 1, sequence: 0 }],
      },
      {
        tokens: [201],
        slices: [
          {
            sequence: 1,
            rowStart: 0,
            rowCount: 1,
            past: 1,
            blocks: b.blocks,
            slot: 0,
            finalLength: 2,
            promptLength: b.promptLength,
          },
        ],
        logitRows: [{ row: 0, sequence: 1 }],
      },
    ]);
  });

  it('keeps every token, position and wanted row, whatever the size of a chunk', () => {
    const sequences = [4, 1, 9, 2, 17].map((length, i) =>
      sequence(
        length,
        i * 3,
        Array.from({ length }, (_, p) => p).filter((p) => p % 2 === 0),
      ),
    );
    const total = 33;
    const expected = sequences.flatMap(({ tokens, past }, index) =>
      tokens.map((token, i) => ({ index, token, position: past + i })),
    );
    for (let maxRows = 1; maxRows <= total + 1; maxRows++) {
      const chunks = splitPass(sequences, maxRows);
      expect(chunks.map(({ tokens }) => tokens.length)).toEqual(
        Array.from({ length: Math.ceil(total / maxRows) }, (_, i) => Math.min(maxRows, total - i * maxRows)),
      );
      const rows = chunks.flatMap(({ tokens, slices }) =>
        slices.flatMap((slice) =>
          Array.from({ length: slice.rowCount }, (_, i) => ({
            index: slice.sequence,
            token: tokens[slice.rowStart + i],
            position: slice.past + i,
          })),
        ),
      );
      expect(rows).toEqual(expected);
      const wanted = chunks.flatMap(({ tokens, logitRows }) => logitRows.map(({ row }) => tokens[row]));
      expect(wanted).toEqual(
        sequences.flatMap(({ tokens, logitPositions }) => logitPositions.map((p) => tokens[p])),
      );
    }
  });

  it('is nothing for nothing', () => {
    expect(splitPass([], 4)).toEqual([]);
  });
});
