// How figures are printed. A row is { name, figure, limit, ratio?, atLeast?, atMost? }: what was measured, the
// limit measured beside it, their ratio, and the bound that the ratio has to keep where the project promises one.

const COLUMNS = ['', 'figure', 'limit in the same run', 'ratio', 'required'];

export function formatTable(rows) {
  const cells = [COLUMNS, ...rows.map(rowCells)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** True when no promise is broken. */
export function keepsPromises(rows) {
  return rows.every(holds);
}

function rowCells(row) {
  const { name, figure, limit, ratio, atLeast, atMost } = row;
  const bound = atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : '';
  const verdict = bound === '' ? '' : `${bound} ${holds(row) ? 'yes' : 'NO'}`;
  return [name, figure, limit, ratio === undefined ? '' : ratio.toFixed(3), verdict];
}

function holds({ ratio, atLeast = -Infinity, atMost = Infinity }) {
  return ratio === undefined || (ratio >= atLeast && ratio <= atMost);
}
