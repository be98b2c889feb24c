/**
 * Recorded histories: `fixtures/<release>/<kind>-<machine version>.ndjson`, one history a line. What was released is never
 * recorded again: a file says what that release wrote.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnyKind } from '../../src/supervisor/resident.ts';
import { Chance } from '../simulation/world/chance.ts';
import { everything, wayOf } from './edges.ts';
import { KINDS, type Lived, life } from './lives.ts';

/** From the root of the tree: the recorder runs compiled, elsewhere. */
export const FOLDER = join('test', 'upgrade', 'fixtures');

export interface Recorded {
  readonly release: string;
  readonly kind: string;
  readonly machineVersion: number;
  readonly histories: readonly (readonly Lived[])[];
}

const MOST_LIVES = 5000;
/** Versions: longer lives reach no more, and take more room. */
const LIFE = 24;

/** Lives that together go through every state and every transition; each ends where it last went somewhere new. */
export function record(kind: AnyKind): { histories: Lived[][]; missing: string[] } {
  const missing = everything(kind);
  const histories: Lived[][] = [];
  for (let n = 1; n <= MOST_LIVES && missing.size > 0; n++) {
    const lived = life(kind, new Chance(`upgrade/${kind.kind}/${n}`), LIFE);
    const way = wayOf(
      kind,
      lived.map(({ entry }) => entry),
    );
    const last = way.findLastIndex((step) => [...step].some((name) => missing.has(name)));
    if (last < 0) continue;
    for (const step of way) for (const name of step) missing.delete(name);
    histories.push(lived.slice(0, last + 1));
  }
  return { histories, missing: [...missing] };
}

export async function recordAll(release: string, print: (line: string) => void): Promise<void> {
  await mkdir(join(FOLDER, release), { recursive: true });
  for (const kind of KINDS) {
    const { histories, missing } = record(kind);
    const file = join(FOLDER, release, `${kind.kind}-${kind.version}.ndjson`);
    await writeFile(file, `${histories.map((history) => JSON.stringify(history)).join('\n')}\n`);
    const versions = histories.reduce((sum, history) => sum + history.length, 0);
    print(
      `${file}: ${histories.length} histories, ${versions} versions; not reached: ${missing.join(', ') || 'nothing'}`,
    );
  }
}

export async function recorded(): Promise<Recorded[]> {
  const all: Recorded[] = [];
  for (const release of await readdir(FOLDER)) {
    for (const name of await readdir(join(FOLDER, release))) {
      const [, kind = '', machineVersion = ''] = /^([a-z]+)-(\d+)\.ndjson$/.exec(name) ?? [];
      const text = await readFile(join(FOLDER, release, name), 'utf8');
      const histories = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Lived[]);
      all.push({ release, kind, machineVersion: Number(machineVersion), histories });
    }
  }
  return all;
}
