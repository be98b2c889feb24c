/** Reads the documents, for the tests that hold them to the code. */
import { readFileSync } from 'node:fs';
import { ROOT } from './source.ts';

export function textOfFile(path: string): string {
  return readFileSync(ROOT + path, 'utf8');
}

/** From the heading that starts with `heading` up to the next one of its level or above. */
export function sectionOf(text: string, heading: string): string {
  const lines = text.split('\n');
  const level = /^#+/.exec(heading)![0].length;
  const first = lines.findIndex((line) => line.startsWith(heading));
  if (first < 0) throw new Error(`there is no section "${heading}"`);
  const rest = lines.slice(first + 1);
  const next = rest.findIndex((line) => /^#+ /.test(line) && /^#+/.exec(line)![0].length <= level);
  return rest.slice(0, next < 0 ? undefined : next).join('\n');
}

/** The cells of the first table, without its head. `\|` is a bar inside a cell. */
export function tableOf(section: string): string[][] {
  const lines = section.split('\n');
  const first = lines.findIndex((line) => /^\|( ?:?-+:? ?\|)+\s*$/.test(line));
  if (first < 0) throw new Error('there is no table');
  const rows = lines.slice(first + 1);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map((row) =>
    row
      .trim()
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** Targets of links and pictures that are not web addresses: `docs/protocol.md`, without the fragment. */
export function localLinksOf(text: string): { path: string; fragment: string | null }[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path, fragment] = target.split('#');
      return { path: path!, fragment: fragment ?? null };
    });
}

/** The fragments that GitHub makes of a document's headings. */
export function fragmentsOf(text: string): string[] {
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** A fenced block: its language, and what stands behind it – a file's name, or `no-run`. */
export interface Block {
  readonly language: string;
  readonly about: string;
  readonly text: string;
}

export function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+) ?(\S*)\n([\s\S]*?)^```$/gm)].map(([, language, about, inside]) => ({
    language: language!,
    about: about!,
    text: inside!,
  }));
}
