/**
 * Changes to a thousand subscribers of a company, frames a second, as a ratio to a bare `ws` server that sends frames of
 * the same size to as many: what numbering, `prev` chains, slow-reader accounting and the commit before each change cost
 * beyond the writes. The readers count frames and decode none; the next change begins when all have the one before.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Bench } from './bench.ts';
import { BenchSocket } from './support/bench-socket.ts';
import { FrameCounter, FrameTally } from './support/frame-counter.ts';
import { cpuOf } from './support/process-usage.ts';
import type { Room } from './support/room.ts';
import { median, rounded } from './support/statistics.ts';
import { buildTown } from './support/town.ts';

const READERS = 1000;
const CHANGES = 200;
/** Changes on their way at once: the figure is of one; with several a batch brings more than one to each reader. */
const ONE = 1;
const SEVERAL = 8;
const ROUNDS = 5;

export const broadcast: Bench = {
  name: 'broadcast',
  about: `one change to ${READERS} subscribers, frames/s, against a bare ws broadcast`,
  withinSeconds: 240,
  async run(room) {
    const cluster = await room.cluster();
    const server = await room.server(await cluster.database());
    const [company] = await buildTown(server.api, { companies: 2, agents: 1, issuesPerAgent: 20 });
    const issues = company!.agents[0]!.issues;
    const operator = await BenchSocket.open(server.api.url);
    let sent = 0;
    const ours: Side = {
      pid: server.pid,
      tally: new FrameTally(),
      cause() {
        const priority = Math.floor(sent / issues.length) % 2 === 0 ? 'high' : 'low';
        const event = `{"type":"PRIORITY","priority":"${priority}"}`;
        return operator.event(issues[sent++ % issues.length]!, event);
      },
    };
    const readers = await subscribers(server.api.url, company!.id, ours.tally);
    await measured(ours, ONE);
    const bytes = Math.round(ours.tally.bytes / ours.tally.frames);

    const bare = await bareServer(room, bytes);
    const trigger = await FrameCounter.open(bare.url, '/', new FrameTally());
    const theirs: Side = { pid: bare.pid, tally: new FrameTally(), cause: async () => trigger.send('go') };
    for (let n = 0; n < READERS; n++) readers.push(await FrameCounter.open(bare.url, '/', theirs.tally));
    await measured(theirs, ONE);

    const one: Pair[] = [];
    const several: Pair[] = [];
    for (let n = 1; n <= ROUNDS; n++) {
      one.push({ ours: await measured(ours, ONE), bare: await measured(theirs, ONE) });
      several.push({ ours: await measured(ours, SEVERAL), bare: await measured(theirs, SEVERAL) });
      const { ours: mine, bare: other } = one.at(-1)!;
      room.say(`round ${n}: ${Math.round(mine.rate)} frames/s, bare ${Math.round(other.rate)}`);
    }
    for (const reader of [...readers, trigger]) reader.close();
    operator.close();
    const ratio = (pairs: readonly Pair[]) =>
      rounded(median(pairs.map((pair) => pair.ours.rate / pair.bare.rate)), 3);
    return {
      figures: [{ what: 'frames/s ÷ bare ws broadcast', value: ratio(one), unit: '×', atLeast: 0.8 }],
      parts: {
        framesPerSecond: Math.round(median(one.map((pair) => pair.ours.rate))),
        bareFramesPerSecond: Math.round(median(one.map((pair) => pair.bare.rate))),
        bytesPerFrame: bytes,
        cpuMicrosPerFrame: rounded(median(one.map((pair) => pair.ours.micros))),
        bareCpuMicrosPerFrame: rounded(median(one.map((pair) => pair.bare.micros))),
        severalUnderWay: { changes: SEVERAL, ratio: ratio(several) },
      },
    };
  },
};

/** One of the two servers, its readers, and how it is made to broadcast once. */
interface Side {
  readonly pid: number;
  readonly tally: FrameTally;
  cause(): Promise<unknown>;
}

interface Measured {
  /** Frames a second. */
  readonly rate: number;
  /** CPU of the sending process for each frame, µs. */
  readonly micros: number;
}

interface Pair {
  readonly ours: Measured;
  readonly bare: Measured;
}

/** `CHANGES` changes, `underWay` at a time: the next begins when every reader has one's frame. */
async function measured({ pid, tally, cause }: Side, underWay: number): Promise<Measured> {
  const before = await cpuOf(pid);
  const since = performance.now();
  tally.clear();
  let caused = 0;
  const causing = async () => {
    while (caused < CHANGES) {
      const goal = ++caused * READERS;
      await Promise.all([cause(), tally.until(goal)]);
    }
  };
  await Promise.all(Array.from({ length: underWay }, causing));
  await tally.until(CHANGES * READERS);
  const seconds = (performance.now() - since) / 1000;
  const after = await cpuOf(pid);
  const frames = CHANGES * READERS;
  const cpu = after.user + after.sys - before.user - before.sys;
  return { rate: frames / seconds, micros: (cpu * 1e6) / frames };
}

async function subscribers(url: string, companyId: string, tally: FrameTally): Promise<FrameCounter[]> {
  const readers: FrameCounter[] = [];
  for (let n = 0; n < READERS; n++) {
    const reader = await FrameCounter.open(url, '/v1/ws', tally);
    reader.send('{"t":"hello"}');
    reader.send(`{"t":"sub","id":"s","topic":"company:${companyId}"}`);
    readers.push(reader);
  }
  // The welcome and the snapshot; the ok is too short to be counted.
  await tally.until(2 * READERS);
  return readers;
}

async function bareServer(room: Room, bytes: number): Promise<{ url: string; pid: number }> {
  const script = fileURLToPath(new URL('./support/bare-broadcast.js', import.meta.url));
  const child = spawn(process.execPath, [script, String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  room.defer(async () => {
    child.stdin.end();
    await exited;
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), pid: child.pid! };
}
