/** A CPU profile of V8 read for people: which functions had the thread, by self time, at their place in the source. */
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface SelfTime {
  readonly name: string;
  readonly place: string;
  /** Share of the time the thread was not idle, 0..1. */
  readonly share: number;
}

/** Functions shown of a profile. */
const TOP = 15;

/** The profile that a stopped server left in `dir`, kept under the temporary directory and read: lines for people. */
export async function profileLines(dir: string, name: string): Promise<string[]> {
  const file = (await readdir(dir)).find((entry) => entry.endsWith('.cpuprofile'));
  if (file === undefined) return ['the server left no profile'];
  const kept = join(tmpdir(), `baton-${name}-${file}`);
  await copyFile(join(dir, file), kept);
  const lines = (await topSelfTimes(kept, TOP)).map(
    ({ name: of, place, share }) => `${(100 * share).toFixed(1).padStart(5)} %  ${of}  ${place}`,
  );
  return [`self time of the server's thread, idle apart (${kept}):`, ...lines];
}

/** The `count` functions with the most self time. */
async function topSelfTimes(path: string, count: number): Promise<SelfTime[]> {
  const profile = JSON.parse(await readFile(path, 'utf8')) as CpuProfile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = new Map<string, number>();
  const ofKey = new Map<string, CallFrame>();
  let busy = 0;
  profile.samples.forEach((id, n) => {
    const frame = frames.get(id)!;
    if (frame.functionName === '(idle)') return;
    const delta = profile.timeDeltas[n] ?? 0;
    busy += delta;
    const key = `${frame.functionName} ${frame.url}:${frame.lineNumber}:${frame.columnNumber}`;
    ofKey.set(key, frame);
    micros.set(key, (micros.get(key) ?? 0) + delta);
  });
  const top = [...micros].sort(([, a], [, b]) => b - a).slice(0, count);
  return Promise.all(
    top.map(async ([key, time]) => {
      const frame = ofKey.get(key)!;
      return { name: frame.functionName || '(anonymous)', place: await placeOf(frame), share: time / busy };
    }),
  );
}

/** Where a function stands in the source, as far as there is a map. */
async function placeOf({ url, lineNumber, columnNumber }: CallFrame): Promise<string> {
  if (!url.startsWith('file:')) return url;
  const file = fileURLToPath(url);
  const map = await readFile(`${file}.map`, 'utf8').catch(() => null);
  const place = `${relative(process.cwd(), file)}:${lineNumber + 1}`;
  if (map === null) return place;
  const entry = new SourceMap(JSON.parse(map) as SourceMapPayload).findEntry(lineNumber, columnNumber);
  if (!('originalSource' in entry)) return place;
  const source = entry.originalSource.replace(/^(\.\.\/)+/, '');
  return `${source}:${entry.originalLine + 1}`;
}
