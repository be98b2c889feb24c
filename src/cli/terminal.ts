/**
 * What a command may do to the world: two streams, an exit code, and how loud to be. On a terminal people read tables
 * and colours; a pipe gets NDJSON, without colours or progress.
 */

export interface Sink {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

export interface Terminal {
  readonly out: Sink;
  readonly err: Sink;
  /** True: one JSON object a line instead of tables. */
  readonly json: boolean;
  readonly quiet: boolean;
  readonly colour: boolean;
}

/**
 * @param env NO_COLOR (any value but empty) turns colours off
 * @param flags what the command line asked for; without `--json`, a pipe decides
 */
export function terminalOf(
  out: Sink,
  err: Sink,
  env: Readonly<Record<string, string | undefined>>,
  flags: { json: boolean; quiet: boolean },
): Terminal {
  const isTerminal = out.isTTY === true;
  return {
    out,
    err,
    json: flags.json || !isTerminal,
    quiet: flags.quiet,
    colour: isTerminal && !flags.json && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
  };
}

const CODES = { dim: 2, bold: 1, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

export function paint(terminal: Terminal, colour: Colour, text: string): string {
  return terminal.colour ? `\x1b[${CODES[colour]}m${text}\x1b[0m` : text;
}

/**
 * Text from outside, safe to print: control characters (escape sequences, newlines) and the characters that turn the
 * direction of writing become a visible `�`, so that a title cannot repaint the terminal.
 */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '�');
}

/** A line for people; nothing in JSON mode or when quiet. */
export function say(terminal: Terminal, text = ''): void {
  if (!terminal.json && !terminal.quiet) terminal.out.write(`${text}\n`);
}

/** An object for programs; nothing outside JSON mode. */
export function emit(terminal: Terminal, value: unknown): void {
  if (terminal.json) terminal.out.write(`${jsonLine(value)}\n`);
}

/**
 * JSON that repaints no terminal either: what `plain` makes visible is escaped. JSON itself escapes only the control
 * characters below the space; the value read back is the same.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(/[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (c) => {
    return `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
