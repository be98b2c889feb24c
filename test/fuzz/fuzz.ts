/**
 * A million hostile frames against a real server process (P10): it must not crash, not grow, not change anything, and
 * not make its other clients wait. Same seed, same frames (which connection sends which depends on the network).
 *
 * The server's limit of frames per connection is off: with it most frames would be refused by the limit before any
 * parser saw them. What the limit does is tested by itself (test/security/floods.test.ts).
 */

import { cpuOf, memoryOf } from '../../bench/support/process-usage.ts';
import { Chance } from '../simulation/world/chance.ts';
import { type Attack, attack, newTally, type Tally } from './attacker.ts';
import { collected } from './collected.ts';
import { badHandshakes } from './handshakes.ts';
import { HostileFrames } from './hostile-frames.ts';
import { type Latency, Neighbours } from './neighbours.ts';
import { makeVictim, stateHash } from './victim.ts';
import type { FuzzedServer } from './world.ts';

export interface FuzzOptions {
  readonly seed: string;
  readonly frames: number;
  /** Ends it before `frames` are sent, ms. */
  readonly forMs?: number;
  readonly attackers: number;
  /** Frames before memory is measured: a server that has just started has not grown to its working size yet. */
  readonly warmUp: number;
  readonly neighbours: { readonly count: number; readonly everyMs: number; readonly calmMs: number };
  /** Runs the attackers; in a thread of their own where neighbours are measured. */
  readonly run?: (attacks: AttackPlan) => Promise<Tally>;
}

export interface AttackPlan {
  readonly port: number;
  readonly seed: string;
  readonly frames: number;
  readonly forMs?: number | undefined;
  readonly attackers: number;
  readonly targets: HostileFrames['targets'];
  readonly tokens: Attack['tokens'];
  /** How long an answer may take, ms; default 30,000. */
  readonly patienceMs?: number;
  /** Frames that a connection lives for; default 400. */
  readonly perLife?: number;
}

export interface FuzzReport {
  readonly frames: number;
  readonly seconds: number;
  readonly connections: number;
  readonly halfOpen: number;
  readonly badRequests: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly closes: Readonly<Record<string, number>>;
  readonly kinds: Readonly<Record<string, number>>;
  /** What a frame cost the server, its neighbours' events included, µs of CPU. */
  readonly cpuEach: number;
  /** MB, after a full collection. */
  readonly rss: {
    readonly before: number;
    readonly after: number;
    /** While it was attacked, evenly spaced: a leak rises to the end, a heap that finds its size does not. */
    readonly during: readonly number[];
  };
  readonly stateUnchanged: boolean;
  readonly alive: boolean;
  readonly calm: Latency;
  readonly attacked: Latency;
  readonly findings: readonly string[];
}

/** Frames a life and a burst: small bursts from many sockets, as many hostile clients would send. */
const PER_LIFE = 400;
const BURST = 16;
const SAMPLE_MS = 3000;

export async function fuzz(server: FuzzedServer, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, frames, attackers } = options;
  const run = options.run ?? runAttackers;
  const chance = new Chance(`fuzz/${seed}`);
  const { targets, tokens } = await makeVictim(server);
  const neighbours = await Neighbours.move(server, options.neighbours.count, options.neighbours.everyMs);
  const port = Number(new URL(server.url).port);
  const plan = (name: string, count: number): AttackPlan => ({
    port,
    seed: `${seed}/${name}`,
    frames: count,
    attackers,
    targets,
    tokens,
  });
  try {
    const before = await stateHash(server.databaseUrl, [neighbours.companyId]);
    const warm = await run(plan('warm', options.warmUp));
    await settled();
    const rssBefore = await collected(server);
    const calm = await neighbours.measure(options.neighbours.calmMs);
    let over = false;
    const handshaking = badHandshakes(
      port,
      chance.split('handshakes'),
      { held: 200, pauseMs: 20 },
      () => over,
    );
    const during: number[] = [];
    const sampling = setInterval(() => {
      void memoryOf(server.pid).then(
        ({ rss }) => during.push(Math.round(rss)),
        () => {},
      );
    }, SAMPLE_MS);
    sampling.unref();
    const cpuBefore = await cpuOf(server.pid);
    const since = performance.now();
    const tally = await run({ ...plan('main', frames), forMs: options.forMs });
    const seconds = (performance.now() - since) / 1000;
    clearInterval(sampling);
    const cpuAfter = await cpuOf(server.pid);
    const attacked = neighbours.take();
    over = true;
    const handshakes = await handshaking;
    handshakes.release();
    await settled();
    const rssAfter = await collected(server);
    await neighbours.leave();
    const after = await stateHash(server.databaseUrl, [neighbours.companyId]);
    const alive = server.running() && (await fetch(`${server.url}/readyz`)).ok;
    return {
      frames: tally.frames,
      seconds,
      connections: tally.connections,
      halfOpen: handshakes.held,
      badRequests: handshakes.requests,
      answers: tally.answers,
      closes: tally.closes,
      kinds: tally.kinds,
      cpuEach: ((cpuAfter.user + cpuAfter.sys - cpuBefore.user - cpuBefore.sys) * 1e6) / tally.frames,
      rss: { before: rssBefore, after: rssAfter, during },
      stateUnchanged: before === after,
      alive,
      calm,
      attacked,
      findings: [
        ...[...warm.findings, ...tally.findings, ...handshakes.findings],
        ...neighbours.refused.map((frame) => `a neighbour was refused: ${JSON.stringify(frame)}`),
        ...server
          .output()
          .split('\n')
          .filter((line) => /connection failed|request failed|could not be answered/.test(line)),
      ],
    };
  } finally {
    await neighbours.leave().catch(() => {});
  }
}

/** All attackers in this thread. */
export async function runAttackers(plan: AttackPlan): Promise<Tally> {
  const tally = newTally();
  const chance = new Chance(`fuzz/${plan.seed}`);
  const { kinds } = tally;
  const until = performance.now() + (plan.forMs ?? Number.POSITIVE_INFINITY);
  const enough = () =>
    tally.frames >= plan.frames || tally.findings.length >= 10 || performance.now() > until;
  await Promise.all(
    Array.from({ length: plan.attackers }, async (_, n) => {
      const mine = chance.split(`attacker ${n}`);
      const frames = new HostileFrames(plan.targets, mine.split('frames'));
      const { port, tokens, patienceMs = 30_000, perLife = PER_LIFE } = plan;
      const a = { port, tokens, tally, frames, chance: mine, patienceMs, perLife, burst: BURST };
      await attack(a, enough).catch((error: unknown) =>
        tally.findings.push(`an attacker gave up: ${String(error)}`),
      );
      for (const [kind, count] of Object.entries(frames.counts)) kinds[kind] = (kinds[kind] ?? 0) + count;
    }),
  );
  return tally;
}

/** Long enough for what was closed to be collected. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 1500));
