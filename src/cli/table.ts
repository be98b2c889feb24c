/** Tables for people: columns as wide as they need, the widest flexible one cut to fit the terminal. */
import { paint, plain, type Terminal } from './terminal.ts';

export interface Column {
  head: string;
  align?: 'right';
  /** May be cut with an ellipsis when the terminal is too narrow. */
  flexible?: boolean;
}

/** Renders rows of text. Cells are made safe to print; a table wider than the terminal loses text, never a column. */
export function table(
  terminal: Terminal,
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const cells = rows.map((row) => row.map(plain));
  const widths = columns.map((column, i) =>
    Math.max(widthOf(column.head), ...cells.map((row) => widthOf(row[i] ?? ''))),
  );
  const room = terminal.out.columns;
  const flexible = columns.findIndex((column) => column.flexible === true);
  if (room !== undefined && flexible >= 0) {
    const over = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) - room;
    if (over > 0) widths[flexible] = Math.max(8, (widths[flexible] ?? 0) - over);
  }
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => fitted(text, widths[i] ?? 0, columns[i]?.align === 'right'))
      .join(GAP)
      .trimEnd();
  return `${[paint(terminal, 'dim', line(columns.map((c) => c.head))), ...cells.map(line)].join('\n')}\n`;
}

const GAP = '  ';

/** Code points, good enough for columns of names and numbers. */
function widthOf(text: string): number {
  return [...text].length;
}

function fitted(text: string, width: number, right: boolean): string {
  const length = widthOf(text);
  if (length > width) return `${[...text].slice(0, width - 1).join('')}…`;
  const padding = ' '.repeat(width - length);
  return right ? padding + text : text + padding;
}
