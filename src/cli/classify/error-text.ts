/**
 * What a command said last, as passages in which an error may be recognised: the last lines, joined with what follows
 * them (terminals wrap), newest first. Of lines that are JSON (`codex exec --json`, `claude -p --output-format
 * stream-json`) only the texts of those that report an error count: what a model *writes about* rate limits is not one.
 */

/** So many lines from the end are looked at: what was said long before is not why it ended. */
const LAST_LINES = 40;
/** A wrapped message rarely takes more lines than this. */
const WRAPPED_LINES = 3;
const LONGEST_LINE = 4096;

/** Escape sequences of terminals: colours, cursor movements, titles, links. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

/** @param output the end of what the command printed, stdout and stderr as they came */
export function passagesOf(output: string): string[] {
  const lines = output
    .replace(ESCAPES, '')
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-LAST_LINES)
    .flatMap(textsOf);
  return lines.map((_, i) => lines.slice(i, i + WRAPPED_LINES).join(' ')).reverse();
}

function textsOf(line: string): string[] {
  if (!line.startsWith('{')) return [line.slice(0, LONGEST_LINE)];
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    return [line.slice(0, LONGEST_LINE)];
  }
  // As one passage: the text that names the error and the field that names the time may be two.
  return isError(event) ? [strings(event).join(' ').slice(0, LONGEST_LINE)] : [];
}

function isError(event: unknown): boolean {
  const { type, is_error, error } = event as Record<string, unknown>;
  if (is_error === true) return true;
  if (typeof type === 'string') return /error|failed/i.test(type);
  return error !== undefined && error !== null;
}

/** Every text and number within, each after its name: `resets_at: 1775317531`. */
function strings(value: unknown, name = ''): string[] {
  if (typeof value === 'string') return [name === '' ? value : `${name}: ${value}`];
  if (typeof value === 'number') return [`${name}: ${value}`];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => strings(inner, Array.isArray(value) ? name : key));
}
