/**
 * `npm run fuzz`: hostile frames against a server process of its own, then slow readers; prints what was seen and ends with
 * 1 where a promise was broken (P10, P11).
 */
import { optionsOf } from '../support/options.ts';
import { runInThread } from './attack-thread.ts';
import { type FuzzReport, fuzz } from './fuzz.ts';
import { type ReadersReport, readers } from './readers.ts';
import { withServer } from './world.ts';

type Print = (line: string) => void;

/** MB; and how many times their calm p99 neighbours may wait. */
const MOST_GROWTH_MB = 50;
const MOST_RATIO = 2;

const ABOUT =
  'Hostile frames against a server process of its own, then slow readers. Exit code 1: a promise was broken.';
const OPTIONS = {
  frames: { value: 'N', default: '1000000', meaning: 'hostile frames' },
  seed: { value: 'TEXT', default: '1', meaning: 'what the frames are drawn from' },
  attackers: { value: 'N', default: '8', meaning: 'connections that send them at once' },
  readers: { value: 'N', default: '100', meaning: 'stalled readers beside as many healthy ones; 0: none' },
} as const;

/** Answers the exit code: 0 all is well, 1 a promise was broken, 2 a wrong argument. */
export async function main(args: readonly string[], print: Print): Promise<number> {
  const asked = optionsOf('npm run fuzz', ABOUT, OPTIONS, args, print);
  if ('code' in asked) return asked.code;
  const { values } = asked;
  const [frames, attackers, count] = [values.frames, values.attackers, values.readers].map(Number) as [
    number,
    number,
    number,
  ];
  if (![frames, attackers, count + 1].every((n) => Number.isSafeInteger(n) && n > 0)) {
    print('--frames and --attackers take whole numbers above 0, --readers one from 0');
    return 2;
  }
  const report = await withServer({ 'rate-limit': 'off' }, (server) =>
    fuzz(server, {
      seed: values.seed,
      frames,
      attackers,
      warmUp: 100_000,
      // Few enough that what the server remembers of their changes, for whoever resumes, does not count as growth.
      neighbours: { count: 8, everyMs: 160, calmMs: 12_000 },
      run: runInThread,
    }),
  );
  const kept = printed(report, values.seed, print);
  if (count === 0) return kept ? 0 : 1;
  const slow = await withServer({}, (server) =>
    readers(server, { stalled: count, healthy: count, fill: 600, measureMs: 10_000, everyMs: 50 }),
  );
  return printedReaders(slow, count, print) && kept ? 0 : 1;
}

function printedReaders(r: ReadersReport, count: number, print: Print): boolean {
  const ratio = r.beside.p99 / r.calm.p99;
  const checks: readonly [name: string, kept: boolean][] = [
    [`${count} stalled readers beside ${count} healthy ones, ${r.mbEach.toFixed(2)} MB each`, r.mbEach <= 8],
    [
      `healthy readers' p99 ${r.beside.p99.toFixed(1)} ms, ${r.calm.p99.toFixed(1)} ms without the stalled: ${ratio.toFixed(1)} times`,
      ratio <= MOST_RATIO,
    ],
    [`${r.findings.length} gaps, of ${r.beside.events} changes read`, r.findings.length === 0],
  ];
  for (const [name, kept] of checks) print(`${kept ? 'kept  ' : 'BROKEN'} ${name}`);
  for (const finding of r.findings.slice(0, 20)) print(`  ${finding}`);
  print(
    `a stalled reader that read on caught up with ${r.caughtUp.of} changes in ${r.caughtUp.changes} frames`,
  );
  return checks.every(([, kept]) => kept);
}

function printed(r: FuzzReport, seed: string, print: Print): boolean {
  const counts = (of: Readonly<Record<string, number>>) =>
    Object.entries(of)
      .sort(([, a], [, b]) => b - a)
      .map(([name, n]) => `${name} ${n}`)
      .join(', ');
  const growth = r.rss.after - r.rss.before;
  const ratio = r.attacked.p99 / r.calm.p99;
  const checks: readonly [name: string, kept: boolean][] = [
    [
      `${r.frames} frames read in ${r.seconds.toFixed(1)} s over ${r.connections} connections, seed ${seed}`,
      true,
    ],
    [`the server is alive`, r.alive],
    [`what is stored did not change`, r.stateUnchanged],
    [`memory grew by ${growth.toFixed(1)} MB, from ${r.rss.before.toFixed(0)} MB`, growth <= MOST_GROWTH_MB],
    [
      `neighbours' p99 ${r.attacked.p99.toFixed(1)} ms, ${r.calm.p99.toFixed(1)} ms when calm (p50 ${r.attacked.p50.toFixed(1)} and ${r.calm.p50.toFixed(1)}): ${ratio.toFixed(1)} times`,
      ratio <= MOST_RATIO,
    ],
    [`${r.findings.length} findings`, r.findings.length === 0],
  ];
  for (const [name, kept] of checks) print(`${kept ? 'kept  ' : 'BROKEN'} ${name}`);
  for (const finding of r.findings) print(`  ${finding}`);
  print(`${r.cpuEach.toFixed(0)} µs of the server's CPU a frame, its other clients included`);
  print(`memory while attacked, MB: ${r.rss.during.join(' ')}`);
  print(`half-open connections ${r.halfOpen}, malformed requests ${r.badRequests}`);
  print(`answers: ${counts(r.answers)}`);
  print(`closes: ${counts(r.closes)}`);
  print(`frames drawn: ${counts(r.kinds)}`);
  return checks.every(([, kept]) => kept);
}
