/**
 * `npm run fuzz -- [--frames N] [--seed S] [--attackers N] [--readers N]`: hostile frames against a server process of its
 * own, then slow readers; prints what was seen and ends with 1 where a promise was broken (P10, P11).
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Cluster } from '../../bench/support/cluster.ts';
import { spawnServer } from '../support/server-process.ts';
import { runInThread } from './attack-thread.ts';
import { type FuzzReport, fuzz } from './fuzz.ts';

type Print = (line: string) => void;

/** MB; and how many times their calm p99 neighbours may wait. */
const MOST_GROWTH_MB = 50;
const MOST_RATIO = 2;

/** Answers the exit code: 0 all is well, 1 a promise was broken. */
export async function main(args: readonly string[], print: Print): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '1' },
      frames: { type: 'string', default: '1000000' },
      attackers: { type: 'string', default: '8' },
    },
  });
  const home = await mkdtemp(join(tmpdir(), 'baton-fuzz-'));
  const cluster = await Cluster.open(join(home, 'database'));
  try {
    const databaseUrl = await cluster.database();
    const dataDir = join(home, 'server');
    const flags = { 'database-url': databaseUrl, 'data-dir': dataDir, 'rate-limit': 'off', log: 'warn' };
    const server = await spawnServer(flags);
    const report = await fuzz(Object.assign(server, { databaseUrl }), {
      seed: values.seed,
      frames: Number(values.frames),
      attackers: Number(values.attackers),
      warmUp: 100_000,
      neighbours: { count: 10, everyMs: 50, calmMs: 8000 },
      run: runInThread,
    });
    await server.end('SIGTERM');
    return printed(report, values.seed, print) ? 0 : 1;
  } finally {
    await cluster.close();
    await rm(home, { recursive: true, force: true });
  }
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
  print(`half-open connections ${r.halfOpen}, malformed requests ${r.badRequests}`);
  print(`answers: ${counts(r.answers)}`);
  print(`closes: ${counts(r.closes)}`);
  print(`frames drawn: ${counts(r.kinds)}`);
  return checks.every(([, kept]) => kept);
}
