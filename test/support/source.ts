/** Reads TypeScript as text, for the tests that hold the tree to its own rules: what is code, string and comment. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** `path` from the root of the repository, with `/`. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Every text file of the repository that git tracks, or would: not what .gitignore names. */
export function tree(): SourceFile[] {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  const paths = [...new Set(list.split('\0').filter((path) => path !== ''))];
  return paths.flatMap((path) => {
    const text = textOf(path);
    return text === null || text.includes('\0') ? [] : [{ path, text }];
  });
}

function textOf(path: string): string | null {
  try {
    return readFileSync(ROOT + path, 'utf8');
  } catch {
    // Deleted but not yet committed.
    return null;
  }
}

/** A `/` after one of these begins a regular expression, elsewhere it divides. */
const BEFORE_REGEX =
  /(?:^|[=(,:;!&|?{}[\]+\-*%<>~^]|\b(?:return|typeof|case|in|of|do|else|void|yield|await))\s*$/;

/** The same text with comments blanked out, and with the insides of strings and patterns too unless `strings` is set. */
export function codeOf(text: string, { strings = false } = {}): string {
  let out = '';
  let at = 0;
  /** Depths of braces at which a template literal goes on. */
  const templates: number[] = [];
  let depth = 0;
  const skip = (to: number, keep: boolean) => {
    const piece = text.slice(at, to);
    out += keep ? piece : piece.replace(/[^\n]/g, ' ');
    at = to;
  };
  while (at < text.length) {
    const two = text.slice(at, at + 2);
    const one = text[at]!;
    if (two === '//') skip(endAt(text, text.indexOf('\n', at)), false);
    else if (two === '/*') skip(endAt(text, text.indexOf('*/', at + 2) + 2 || -1), false);
    else if (one === "'" || one === '"') skip(stringEnd(text, at + 1, one), strings);
    else if (one === '`' || (one === '}' && templates.at(-1) === depth)) {
      if (one === '}') templates.pop();
      const end = templateEnd(text, at + 1);
      skip(end, strings);
      if (text[end - 1] === '{') templates.push(depth);
    } else if (one === '/' && BEFORE_REGEX.test(out.slice(-40))) skip(patternEnd(text, at + 1), strings);
    else {
      if (one === '{') depth += 1;
      if (one === '}') depth -= 1;
      out += one;
      at += 1;
    }
  }
  return out;
}

function endAt(text: string, index: number): number {
  return index < 0 ? text.length : index;
}

function stringEnd(text: string, from: number, quote: string): number {
  let at = from;
  while (at < text.length && text[at] !== quote && text[at] !== '\n') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Just behind the closing backtick, or behind the `${` that interrupts the template. */
function templateEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== '`') {
    if (text.startsWith('${', at)) return at + 2;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

function patternEnd(text: string, from: number): number {
  let at = from;
  let inClass = false;
  while (at < text.length && text[at] !== '\n' && (inClass || text[at] !== '/')) {
    if (text[at] === '[') inClass = true;
    if (text[at] === ']') inClass = false;
    at += text[at] === '\\' ? 2 : 1;
  }
  return at + 1;
}

/** What a file imports or re-exports, statically or not: `zod`, `src/machines/kind.ts`. */
export function importsOf(file: SourceFile): string[] {
  const code = codeOf(file.text, { strings: true });
  const found = code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g);
  const folder = file.path.split('/').slice(0, -1);
  return [...found].map(([, name]) => (name!.startsWith('.') ? joined(folder, name!) : name!));
}

function joined(folder: readonly string[], relative: string): string {
  const path = [...folder];
  for (const part of relative.split('/')) {
    if (part === '..') path.pop();
    else if (part !== '.') path.push(part);
  }
  return path.join('/');
}
