/**
 * Tables for people: columns as wide as they need. Where the terminal is too narrow for that, the flexible ones share what
 * the others leave, and where that is little, the optional ones are left out.
 */
import { paint, plain, type Terminal } from './terminal.ts';

export interface Column {
  head: string;
  align?: 'right';
  /** May be cut with an ellipsis when the terminal is too narrow. */
  flexible?: boolean;
  /** Is left out before the flexible ones become too narrow to read. */
  optional?: boolean;
}

/** Renders rows of text. Cells are made safe to print. */
export function table(
  terminal: Terminal,
  all: readonly Column[],
  rows: readonly (readonly string[])[],
): string {
  const whole = rows.map((row) => row.map(plain));
  const needed = all.map((column, i) =>
    Math.max(widthOf(column.head), ...whole.map((row) => widthOf(row[i] ?? ''))),
  );
  // A terminal that nobody told its size says 0.
  const { kept, widths } = layoutOf(all, needed, terminal.out.columns || Number.POSITIVE_INFINITY);
  const columns = kept.map((i) => all[i] as Column);
  const cells = whole.map((row) => kept.map((i) => row[i] ?? ''));
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
/** With less than this for each text, what may be missing is left out. */
const READABLE = 20;

/** Which columns are shown, and how wide. @param room columns of the terminal */
function layoutOf(
  columns: readonly Column[],
  needed: readonly number[],
  room: number,
): { kept: number[]; widths: number[] } {
  const everyone = [...columns.keys()];
  const all = shared(columns, needed, everyone, room);
  const isTight = everyone.some((i) => (all[i] ?? 0) < Math.min(needed[i] ?? 0, READABLE));
  const kept = isTight ? everyone.filter((i) => columns[i]?.optional !== true) : everyone;
  return { kept, widths: shared(columns, needed, kept, room) };
}

/** The widths of `kept`: a flexible column that needs less than its share leaves the rest of it to the others. */
function shared(
  columns: readonly Column[],
  needed: readonly number[],
  kept: readonly number[],
  room: number,
): number[] {
  const need = (i: number) => needed[i] ?? 0;
  const flexible = kept.filter((i) => columns[i]?.flexible === true).sort((a, b) => need(a) - need(b));
  const fixed = kept.filter((i) => columns[i]?.flexible !== true);
  let left = fixed.reduce((rest, i) => rest - need(i), room - GAP.length * (kept.length - 1));
  const widths = new Map(fixed.map((i) => [i, need(i)]));
  for (const [n, i] of flexible.entries()) {
    const share = Math.max(NARROWEST, Math.floor(left / (flexible.length - n)));
    const width = Math.min(need(i), share);
    widths.set(i, width);
    left -= width;
  }
  return kept.map((i) => widths.get(i) ?? 0);
}

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
