// The one look of tables: no lines between rows.

import Table from 'cli-table3';

export function createTable(head: string[]): Table.Table {
  const none = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };
  return new Table({ head, chars: none, style: { head: [], border: [] } });
}
