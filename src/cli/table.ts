/** Tables for people: columns as wide as they need, the flexible ones cut to fit the terminal, the widest first. */
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
  if (room !== undefined) {
    let over = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) - room;
    const flexible = [...columns.keys()].filter((i) => columns[i]?.flexible === true);
    for (const i of flexible.sort((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))) {
      const cut = Math.min(over, Math.max(0, (widths[i] ?? 0) - NARROWEST));
      if (cut <= 0) continue;
      widths[i] = (widths[i] ?? 0) - cut;
      over -= cut;
    }
  }
  const line = (texts: readonly string[]) =>
    texts
      .map((text, i) => fitted(text, widths[i] ?? 0, columns[i]?.align === 'right'))
      .join(GAP)
      .trimEnd();
  return `${[paint(terminal, 'dim', line(columns.map((c) => c.head))), ...cells.map(line)].join('\n')}\n`;
}

const GAP = '  ';
/** Less than this of a text says nothing. */
const NARROWEST = 8;

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
