/** Every fault a running cluster is put through, each by name. Each returns when it has healed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { BEAT_EVERY } from '../../src/supervisor/ownership.ts';
import { type Action, afterTakeover, atSeam, LOAD_SEAMS } from './seams.ts';
import type { Arena } from './world/arena.ts';
import { fullDisk } from './world/full-disk.ts';
import { fullLog } from './world/full-log.ts';

export type Fault = (arena: Arena) => Promise<void>;

/** Our own black holes are shorter and longer than the TTL, by turns. */
const BLACK_HOLE_MS = [300, 2500] as const;
/** A retry waits for longer than a takeover takes; a node that had lost it would find it within 20 s. */
const RETRY_MS = 4000;
const SOON_MS = 3000;
const SLOW_FOR_MS = 3000;
const LOG_FULL_MS = 2000;
const SLOW_MS = { least: 50, most: 500 } as const;

/** kill −9 of an owner; another node goes on, and it comes back. */
const killed: Fault = async (arena) => {
  const { place, company } = await arena.victim();
  const since = performance.now();
  await arena.cluster.kill(place);
  arena.afterKill.push(await arena.takenOver(company, place, since));
  await arena.cluster.start(place);
};

/** A retry that nobody touches waits while its node is killed: whoever takes over fires it when it is due. */
const retryWaits: Fault = async (arena) => {
  const { cluster, load } = arena;
  const { place } = await arena.victim();
  const { company, dueAt } = await load.waitingRetry(place, RETRY_MS);
  const [issueId] = company.issues as [string];
  await cluster.kill(place);
  const until = dueAt + SOON_MS + arena.marginMs;
  let fired = false;
  while (!fired && Date.now() < until) {
    await sleep(100);
    const rows = await cluster.postgres.query(
      "select from journal where actor_id = $1 and entry->>'type' = 'RETRY.DUE'",
      [issueId],
    );
    fired = rows.length > 0;
  }
  if (!fired)
    arena.violations.push(`the retry of ${issueId} was not fired ${until - dueAt} ms after it was due`);
  await cluster.start(place);
  await load.send(company, issueId, { type: 'CANCEL' });
};

/** An owner is held still beyond its TTL; when it goes on it answers for nothing that is not its own any more. */
const paused: Fault = async (arena) => {
  const { place, company } = await arena.victim();
  const { cluster, load } = arena;
  const since = performance.now();
  const node = cluster.nodes[place]!;
  node.pause();
  await arena.takenOver(company, place, since);
  const known = await versions(arena, company.issues);
  node.resume();
  for (let n = 0; n < 5; n++) {
    await Promise.all(
      company.issues.map(async (issueId) => {
        const shown = await fetch(`${load.doors.urlOf(place)}/v1/issues/${issueId}`, {
          signal: AbortSignal.timeout(6000),
        }).catch(() => null);
        if (!shown?.ok) return;
        const { version } = (await shown.json()) as { version: number };
        if (version < (known.get(issueId) ?? 0))
          arena.violations.push(
            `a node that was paused shows ${issueId} at ${version}, it was at ${known.get(issueId)}`,
          );
      }),
    );
    await sleep(20);
  }
  await arena.healed('after a pause');
};

async function versions(arena: Arena, ids: readonly string[]): Promise<Map<string, number>> {
  const rows = await arena.cluster.postgres.query<{ id: string; version: number }>(
    'select id, version from actors where id = any ($1)',
    [ids],
  );
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/**
 * The directed race: an owner's commit is on its way when the owner is held still; another takes over and reads what
 * there is; then the commit arrives, and only then the new owner writes. The late one may not land: the new owner would
 * acknowledge a version that is somebody else's.
 */
const lateCommits: Fault = async (arena) => {
  const { cluster, load } = arena;
  const { place, company } = await arena.victim();
  const quiet = await load.quietCompany(place);
  const [issueId] = quiet.issues as [string];
  const way = cluster.proxies[place]!;
  const node = cluster.nodes[place]!;
  const key = `late-${issueId}`;
  const held = way.holdFrom(key);
  const late = arena.ask(place, issueId, { type: 'PRIORITY', priority: 'critical' }, key);
  // The batch that has it is on its way; an answer instead would mean that it never came there.
  await Promise.race([held, late]);
  const since = performance.now();
  node.pause();
  await arena.takenOver(company, place, since);
  // The new owner has the issue in memory, as it was: asked for what it is already, it writes nothing.
  await load.send(quiet, issueId, { type: 'PRIORITY', priority: 'medium' });
  way.become({ is: 'open' });
  await sleep(200);
  await load.send(quiet, issueId, { type: 'PRIORITY', priority: 'low' });
  node.resume();
  const answer = await late;
  if (answer !== null) load.tell(issueId, 'PRIORITY', key, { is: 'answered', answer, place });
  await arena.healed('after late commits');
};

/** All sessions of all nodes are ended by the server. */
const sessionsEnded: Fault = async (arena) => {
  await arena.cluster.postgres.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'baton'`,
  );
  await arena.healed('after sessions were ended');
};

/** One node's way to the database swallows everything; longer than the TTL, another takes over. */
const blackHole: Fault = async (arena) => {
  const { place, company } = await arena.victim();
  const { cluster } = arena;
  const ms = BLACK_HOLE_MS[arena.faults % 2]!;
  const since = performance.now();
  const is = arena.chance.u() < 0.5 ? 'black hole' : 'half open';
  cluster.proxies[place]!.become({ is });
  // Half open, the database hears one more heartbeat, whose answer is lost: the TTL counts from that one.
  const heardMs = is === 'half open' ? cluster.plan.ttlMs * BEAT_EVERY : 0;
  if (ms > cluster.plan.ttlMs) await arena.takenOver(company, place, since, heardMs);
  else await sleep(ms);
  cluster.proxies[place]!.become({ is: 'open' });
  await arena.healed('after a black hole');
};

/**
 * An owner is held still as soon as the others' ways to the database, which swallowed everything for longer than the TTL,
 * carry again: who takes over must not wait for answers from before.
 */
const backFromBlackHole: Fault = async (arena) => {
  const { place, company } = await arena.victim();
  const { cluster } = arena;
  const others = cluster.proxies.filter((_, other) => other !== place);
  for (const way of others) way.become({ is: 'black hole' });
  await sleep(1.5 * cluster.plan.ttlMs);
  // The others may have owned companies of their own: this one has them all by now.
  const since = performance.now();
  for (const way of others) way.become({ is: 'open' });
  cluster.nodes[place]!.pause();
  await arena.takenOver(company, place, since);
  cluster.nodes[place]!.resume();
  await arena.healed('after a black hole and a pause');
};

/** Every connection of one node is cut and none is taken for a moment. */
const cut: Fault = async (arena) => {
  const { place } = await arena.victim();
  arena.cluster.proxies[place]!.become({ is: 'cut' });
  await sleep(200 + arena.chance.u() * 400);
  arena.cluster.proxies[place]!.become({ is: 'open' });
  await arena.healed('after a cut');
};

/** Each query of every node takes 50 to 500 ms. */
const slow: Fault = async (arena) => {
  const delayMs = () => SLOW_MS.least + arena.chance.u() * (SLOW_MS.most - SLOW_MS.least);
  for (const proxy of arena.cluster.proxies) proxy.become({ is: 'open', delayMs });
  await sleep(SLOW_FOR_MS);
  await arena.healed('while every query is slow');
  for (const proxy of arena.cluster.proxies) proxy.become({ is: 'open' });
  await arena.healed('after every query was slow');
};

/** PostgreSQL loses all its processes at once and recovers. */
const databaseCrash: Fault = async (arena) => {
  await arena.cluster.postgres.crash();
  await arena.healed('after the database crashed');
};

/** Nobody gets a connection: others have them all, and the nodes' own are ended. */
const connectionsUsedUp: Fault = async (arena) => {
  const { postgres } = arena.cluster;
  const hogs: Awaited<ReturnType<typeof postgres.connect>>[] = [];
  const grab = async () => {
    for (;;) {
      try {
        hogs.push(await postgres.connect());
      } catch (error) {
        if ((error as { code?: string }).code === '53300') return;
        throw error;
      }
    }
  };
  await grab();
  await hogs[0]!.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = 'baton'`,
  );
  for (let n = 0; n < 10; n++) {
    await grab();
    await sleep(50);
  }
  await Promise.all(hogs.map((hog) => hog.end()));
  await arena.healed('after connections were used up');
};

/** The journal cannot grow: the disk is full. */
const diskFull: Fault = async (arena) => {
  const disk = await fullDisk(arena.cluster.postgres);
  try {
    await disk.fill();
    const refused = await disk.refusals(3000);
    if (refused === 0) arena.violations.push('the disk was full and the database refused nothing');
  } finally {
    await disk.free();
  }
  await arena.healed('after the disk was full');
  await disk.remove();
};

/** PostgreSQL cannot write its log – the disk is full – and ends; nothing is acknowledged until there is room again. */
const logFull: Fault = async (arena) => {
  const log = await fullLog(arena.cluster.postgres);
  try {
    if ((await log.full(LOG_FULL_MS)) === 0)
      arena.violations.push('the disk of the log was full and the database did not end');
  } finally {
    await log.free();
  }
  await arena.healed('after the disk of the log was full');
  await log.remove();
  await arena.healed('after the log was moved');
};

const atSeams = Object.fromEntries(
  LOAD_SEAMS.flatMap((seam) =>
    (['kill', 'stop'] as const).map((action) => [
      `${seam}: ${action}`,
      (arena: Arena) => atSeam(arena, seam, action),
    ]),
  ),
) as Record<`${(typeof LOAD_SEAMS)[number]}: ${Action}`, Fault>;

/** Only nodes with seams can be put through these. */
export const SEAM_FAULTS = {
  ...atSeams,
  'after takeover before load: kill': (arena: Arena) => afterTakeover(arena, 'kill'),
  'after takeover before load: stop': (arena: Arena) => afterTakeover(arena, 'stop'),
} as const satisfies Record<string, Fault>;

export const FAULTS = {
  killed,
  retryWaits,
  paused,
  lateCommits,
  sessionsEnded,
  blackHole,
  backFromBlackHole,
  cut,
  slow,
  databaseCrash,
  connectionsUsedUp,
  diskFull,
  logFull,
  ...SEAM_FAULTS,
} as const satisfies Record<string, Fault>;
export type FaultName = keyof typeof FAULTS;
