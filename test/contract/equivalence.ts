/** Both stores given the same random calls: the same answers, and the same rows in the end. */
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Store } from '../../src/persistence/store.ts';
import type { SoakOutcome, SoakPart, SoakTurn } from '../soak/part.ts';
import { type Harness, memoryHarness, postgresHarness } from './harness.ts';
import { all, batch, company, entry, id, record, row } from './rows.ts';

/** Calls in a sequence. */
const STEPS = 50;
/** Sequences that run at the same time, each on a database of its own: most of their time is waiting for answers. */
const LANES = 4;
const TTL_MS = 600_000;
const PARTITIONS = [3, 4, 5];
const NODES = ['n1', 'n2', 'n3'];

/** One of the two stores in the course of a sequence: what its nodes know of epochs. */
interface Side {
  readonly harness: Harness;
  /** Node → partition → the epoch it last got. */
  readonly known: Map<string, Map<number, number>>;
  /** Epochs differ between the stores (they follow clocks); partition → epoch → which of the partition's it is. */
  readonly generations: Map<number, Map<number, number>>;
}

interface Step {
  run(side: Side): Promise<unknown>;
  /** How a failing sequence is printed. */
  [fc.toStringMethod](): string;
}

const step = (call: string, drawn: object, run: Step['run']): Step => ({
  run,
  [fc.toStringMethod]: () => `${call} ${JSON.stringify(drawn)}`,
});

const generation = (side: Side, partition: number, epoch: number): number => {
  const seen = side.generations.get(partition) ?? new Map<number, number>();
  side.generations.set(partition, seen);
  if (!seen.has(epoch)) seen.set(epoch, seen.size);
  return seen.get(epoch)!;
};

/** Epochs by generation; a batch's dead epoch (0) is not one. */
function comparable<T extends { partition: number; epoch: number }>(side: Side, items: readonly T[]): T[] {
  return items.map((item) => ({ ...item, epoch: generation(side, item.partition, item.epoch) }));
}

const partition = fc.constantFrom(...PARTITIONS);
const node = fc.constantFrom(...NODES);
const small = fc.integer({ min: 1, max: 6 });
const oddText = fc.oneof(
  fc.constantFrom('', 'a"b\\c', '{},', 'NULL', '\\N', "it's", 'zażółć 👩‍👧', '\t\n\r', '\u0000\u001e\u001f'),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
);
const json = fc
  .record({ n: fc.oneof(small, oddText, fc.constant(null)), t: oddText })
  .map((v) => JSON.stringify(v));
const actor = fc.record({ n: small, p: partition }).map(({ n, p }) => ({ n, actorId: id('i', n, p) }));
const name = fc.constantFrom('idle', 'running', 'done');

const someRow = fc
  .record({
    of: actor,
    version: small,
    state: name,
    substate: fc.option(fc.constantFrom('', 'queued')),
    assignee: fc.option(fc.constantFrom('a1', 'a2')),
    pool: fc.option(fc.constantFrom('a1', 'a2')),
    holds: fc.boolean(),
    rank: fc.option(small),
    dueAt: fc.option(small),
    priority: fc.integer({ min: 0, max: 3 }),
    snapshot: json,
    head: fc.option(json, { freq: 4 }),
    updatedAt: small,
    shift: fc.constantFrom(0, 0, 0, 0, 0, 0, 1),
  })
  .map(({ of, shift, ...some }) => row(of.n + shift, { id: of.actorId, ordinal: of.n + shift, ...some }));
const someEntry = fc
  .record({ of: actor, seq: fc.integer({ min: 1, max: 12 }), version: small, at: small, entry: json })
  .map(({ of, seq, version, ...some }) => entry(seq, of.actorId, version, some));
const someRecord = fc
  .record({ of: actor, n: small, kind: fc.constantFrom('run', 'comment'), at: small, record: json })
  .map(({ of, n, ...some }) => record(n, { actorId: of.actorId, ...some }));

const beat = fc.record({ by: node }).map((drawn) =>
  step('beat', drawn, async ({ harness }) => {
    await harness.node(drawn.by).beat(drawn.by);
  }),
);

const silence = fc
  .record({ by: node })
  .map((drawn) => step('silence', drawn, ({ harness }) => harness.silence(drawn.by)));

const acquire = fc
  .record({ by: node, want: fc.integer({ min: 0, max: 4 }), holds: fc.boolean() })
  .map((drawn) =>
    step('acquire', drawn, async (side) => {
      const { by, want, holds } = drawn;
      const known = side.known.get(by) ?? new Map<number, number>();
      side.known.set(by, known);
      const held = new Set(holds ? known.keys() : []);
      const owned = await side.harness.node(by).acquire(by, TTL_MS, want, held);
      for (const { partition: p, epoch } of owned) known.set(p, epoch);
      return comparable(side, owned);
    }),
  );

const release = fc
  .record({ by: node, partitions: fc.subarray(PARTITIONS) })
  .map((drawn) =>
    step('release', drawn, ({ harness }) => harness.node(drawn.by).release(drawn.by, drawn.partitions)),
  );

const commit = fc
  .record({
    by: node,
    partitions: fc.subarray(PARTITIONS, { minLength: 1 }),
    rows: fc.uniqueArray(someRow, { maxLength: 4, selector: (r) => r.id }),
    entries: fc.array(someEntry, { maxLength: 4 }),
    records: fc.array(someRecord, { maxLength: 3 }),
    again: fc.boolean(),
  })
  .map((drawn) =>
    step('commit', drawn, async (side) => {
      const { by, partitions, rows, entries, records, again } = drawn;
      const epochs = new Map(partitions.map((p) => [p, side.known.get(by)?.get(p) ?? 0]));
      const writes = batch(by, epochs, { rows, entries, records });
      const outcomes = [await side.harness.node(by).commit(writes)];
      if (again) outcomes.push(await side.harness.node(by).commit(writes));
      if (outcomes[0]!.is === 'rejected') await side.harness.quiet();
      return outcomes.map((o) => [o.is, o.is === 'committed' ? [...o.proved].sort() : null]);
    }),
  );

const sorted = <T extends { id: string }>(rows: T[]): T[] => rows.sort((a, b) => (a.id < b.id ? -1 : 1));

const readings = fc
  .record({
    p: partition,
    of: actor,
    after: fc.integer({ min: 0, max: 6 }),
    limit: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom('run', 'comment'),
    text: oddText,
    states: fc.subarray(['idle', 'running', 'done']),
    about: fc.constantFrom('a1', 'a2'),
    filter: fc.constantFrom(
      'none',
      'states',
      'substates',
      'contains',
      'atLeast',
      'about',
      'assignee',
      'ordinal',
    ),
  })
  .map((r) => {
    const companyId = id('c', 1, r.p);
    const { actorId } = r.of;
    const filters = {
      none: {},
      states: { states: r.states },
      substates: { substates: r.states.map((state) => `${state}.queued`) },
      contains: { contains: { keys: ['t', 'n'], text: r.text.replaceAll('\u0000', '') } },
      atLeast: { atLeast: { path: ['n'], value: r.after } },
      about: { about: { id: r.about, states: r.states } },
      assignee: { assignee: r.about },
      ordinal: { ordinal: r.after },
    } as const;
    const query = { companyId, kind: 'issue', limit: r.limit, ...filters[r.filter] };
    const at = { at: r.after, id: actorId };
    const calls: ((store: Store, side: Side) => Promise<unknown>)[] = [
      (s) => s.snapshot(query),
      (s) => s.index(query),
      (s) => s.counts(companyId, r.after),
      (s) => s.counters([r.p]),
      (s) => s.due(new Set([r.p, 3]), 7, r.limit, { dueAt: r.after, id: actorId }),
      async (s) => sorted(await s.load([actorId, id('i', 1, r.p), id('i', 9, r.p)])),
      async (s) => sorted(await all(s.live([r.p, 4]))),
      async (s, side) => {
        const page = await s.entries(companyId, r.after, r.limit);
        return { ...page, entries: comparable(side, page.entries) };
      },
      async (s, side) => comparable(side, await s.history(actorId, r.after, r.limit)),
      (s) => s.records(actorId, r.kind, r.limit, at),
      (s) => s.companyRecords(companyId, r.kind, r.limit, null, { actorId, id: '' }),
      (s) =>
        s.companyRecords(companyId, r.kind, r.limit, { key: 't', value: r.text.replaceAll('\u0000', '') }),
      (s) => s.record(actorId, r.kind, `${actorId}.${r.limit}`),
    ];
    return step('read', r, async (side) => {
      const store = side.harness.node('n1');
      return Promise.all(calls.map((call) => call(store, side)));
    });
  });

const prune = fc
  .record({
    by: node,
    partitions: fc.subarray(PARTITIONS),
    before: small,
    ended: fc.subarray(['idle', 'done']),
    keep: fc.integer({ min: 0, max: 3 }),
    limit: small,
  })
  .map((d) =>
    step('prune', d, ({ harness, known }) => {
      const epochs = new Map(d.partitions.map((p) => [p, known.get(d.by)?.get(p) ?? 0]));
      return harness.node(d.by).prune({ owner: d.by, epochs }, d.before, d.ended, d.keep, d.limit);
    }),
  );

const sequence = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: beat },
    { weight: 1, arbitrary: silence },
    { weight: 3, arbitrary: acquire },
    { weight: 1, arbitrary: release },
    { weight: 12, arbitrary: commit },
    { weight: 4, arbitrary: readings },
    { weight: 1, arbitrary: prune },
  ),
  { minLength: STEPS, maxLength: STEPS },
);

async function prepared(harness: Harness): Promise<Side> {
  await harness.reset();
  for (const p of PARTITIONS) await harness.catalog.createCompany(company(1, p));
  const side: Side = { harness, known: new Map(), generations: new Map() };
  for (const n of NODES) {
    await harness.node(n).beat(n);
    const [first] = await harness.node(n).acquire(n, TTL_MS, 1, new Set());
    side.known.set(n, new Map([[first!.partition, first!.epoch]]));
    generation(side, first!.partition, first!.epoch);
  }
  return side;
}

async function stored(side: Side): Promise<unknown> {
  const { partitions, actors, entries, records } = await side.harness.dump();
  return { partitions: comparable(side, partitions), actors, entries: comparable(side, entries), records };
}

/** Both sides say the same: as JSON, for a column that is null here may be undefined there only by its driver. */
function same(what: string, memory: unknown, postgres: unknown): void {
  const [left, right] = [memory, postgres].map((value) => JSON.parse(JSON.stringify({ value })) as unknown);
  if (isDeepStrictEqual(left, right)) return;
  throw new Error(`${what}: memory ${JSON.stringify(left)}, postgres ${JSON.stringify(right)}`);
}

export interface Compared {
  readonly sequences: number;
  /** Where the stores differ, the shrunk sequence and how to run it again; null: nowhere. */
  readonly difference: string | null;
}

/** Runs `runs` sequences of `STEPS` calls on both stores, or as many as `ms` gives time for; a seed draws the same. */
export async function compareStores(runs: number, seed: number, ms?: number): Promise<Compared> {
  const lanes = await Promise.all(
    Array.from({ length: LANES }, (_, n) => compareInLane(Math.ceil(runs / LANES), seed * LANES + n, ms)),
  );
  const difference = lanes.find((lane) => lane.difference !== null)?.difference ?? null;
  return { sequences: lanes.reduce((sum, lane) => sum + lane.sequences, 0), difference };
}

async function compareInLane(runs: number, seed: number, ms?: number): Promise<Compared> {
  const memory = await memoryHarness(PARTITIONS);
  const postgres = await postgresHarness(PARTITIONS);
  let sequences = 0;
  try {
    const property = fc.asyncProperty(sequence, async (steps) => {
      sequences++;
      const left = await prepared(memory);
      const right = await prepared(postgres);
      for (const step of steps) same(step[fc.toStringMethod](), await step.run(left), await step.run(right));
      same('in the end', await stored(left), await stored(right));
    });
    const limit = ms === undefined ? {} : { interruptAfterTimeLimit: ms, markInterruptAsFailure: false };
    const details = await fc.check(property, { numRuns: runs, seed, endOnFailure: true, ...limit });
    if (!details.failed) return { sequences, difference: null };
    const why = details.errorInstance instanceof Error ? details.errorInstance.message : '';
    const again = `run it again: EQUIVALENCE_SEED=${Math.floor(seed / LANES)}`;
    return { sequences, difference: `${why}\n${fc.defaultReportMessage(details)}\n${again}` };
  } finally {
    await Promise.all([memory.close(), postgres.close()]);
  }
}

/** More than any turn has time for. */
const MOST_SEQUENCES = 1_000_000;

export const equivalencePart: SoakPart = {
  name: 'equivalence',
  about: 'random calls on the memory store and on PostgreSQL: the same answers, the same rows',
  weight: 1,
  async run({ ms, seed }: SoakTurn): Promise<SoakOutcome> {
    const { sequences, difference } = await compareStores(MOST_SEQUENCES, seed, ms);
    return { counters: { sequences }, violations: difference === null ? [] : [difference] };
  },
};
