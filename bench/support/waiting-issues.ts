/**
 * Issues that wait for their retry, in numbers no server could be asked for in a bench's time: each is brought there by
 * the real machine – CREATED, GRANT, RUN.FAILED – and written with its journal and its ended run by the store's own
 * commit, in large batches. No server may be running: the partitions are taken, and given back.
 */
import { randomBytes } from 'node:crypto';
import { idOf, partitionOf } from '../../src/ids.ts';
import { agentKind } from '../../src/machines/agent-kind.ts';
import { DEFAULT_POLICY } from '../../src/machines/facts.ts';
import { issueKind } from '../../src/machines/issue-kind.ts';
import type { Stamp } from '../../src/machines/kind.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import type { ActorRow, Batch, EntryRow, RecordRow } from '../../src/persistence/store.ts';
import { advance } from '../../src/supervisor/advance.ts';
import { SealedEntry } from '../../src/supervisor/entry.ts';
import { LANES } from '../../src/supervisor/node.ts';
import {
  type AnyKind,
  earliest,
  Resident,
  revive,
  snapshotText,
  type Version,
} from '../../src/supervisor/resident.ts';
import { withClient } from './cluster.ts';
import type { Company } from './town.ts';

/** Issues in one statement. */
const BATCH = 250;
const TTL_MS = 600_000;
/** They failed this long ago, so that the ladder's first delay is over and `dueAt` alone decides. */
const AGO_MS = DEFAULT_POLICY.delaysMs[0]!;
const OWNER = 'bench';
const OPERATOR = { kind: 'operator', id: 'bench' } as const;
const SYSTEM = { kind: 'system', id: 'baton' } as const;

export interface WaitingPlan {
  readonly url: string;
  /** Companies without issues; each with an agent. */
  readonly companies: readonly Company[];
  readonly count: number;
  /** Epoch ms at which the `n`th is due. */
  dueAt(n: number): number;
}

/** Writes them; answers their ids in order of `n`, and how long it took. */
export async function writeWaiting(plan: WaitingPlan): Promise<{ ids: string[]; seconds: number }> {
  const since = performance.now();
  const store = new PostgresStore({ url: plan.url, commitConnections: LANES, queryTimeoutMs: 60_000 });
  const partitions = plan.companies.map(({ id }) => partitionOf(id));
  try {
    await store.beat(OWNER);
    const owned = await store.acquire(OWNER, TTL_MS, 4096, new Set());
    const epochs = new Map(owned.map(({ partition, epoch }) => [partition, epoch]));
    if (partitions.some((partition) => !epochs.has(partition)))
      throw new Error('a server holds the partitions');
    const ids = await writeAll(store, epochs, plan);
    await store.release(
      OWNER,
      owned.map(({ partition }) => partition),
    );
    return { ids, seconds: (performance.now() - since) / 1000 };
  } finally {
    await store.close();
  }
}

/** What a server that has been running for a while would look like: statistics known, nothing dirty. */
export function settle(url: string): Promise<void> {
  return withClient(url, async (client) => {
    await client.query('vacuum analyze');
    await client.query('checkpoint');
  });
}

async function writeAll(store: PostgresStore, epochs: ReadonlyMap<number, number>, plan: WaitingPlan) {
  const { companies, count } = plan;
  const makers: Maker[] = [];
  for (const company of companies)
    makers.push(await Maker.of(store, company, epochs.get(partitionOf(company.id))!));
  const ids: string[] = [];
  const underWay: Promise<void>[] = [];
  for (let first = 0, batches = 0; first < count; first += BATCH, batches++) {
    // One company a batch: its entries are in order whichever connection is faster.
    const maker = makers[batches % makers.length]!;
    const batch = maker.batch(Math.min(BATCH, count - first), (n) => plan.dueAt(first + n));
    ids.push(...batch.rows.map((row) => row.id));
    const turn = batches % LANES;
    await underWay[turn];
    underWay[turn] = commit(store, batch);
  }
  await Promise.all(underWay);
  return ids;
}

async function commit(store: PostgresStore, batch: Batch): Promise<void> {
  const outcome = await store.commit(batch);
  if (outcome.is !== 'committed') throw new Error('a batch was not committed', { cause: outcome.error });
  if (outcome.proved.size !== batch.epochs.size) throw new Error('a batch was fenced off');
}

/** Makes a company's issues. */
class Maker {
  readonly #company: Company;
  readonly #partition: number;
  readonly #epoch: number;
  readonly #agentId: string;
  readonly #facts: Stamp['facts'];
  readonly #kind = issueKind();
  #seq: number;
  #ordinal = 0;

  private constructor(of: { company: Company; epoch: number; facts: Stamp['facts']; seq: number }) {
    this.#company = of.company;
    this.#partition = partitionOf(of.company.id);
    this.#epoch = of.epoch;
    this.#agentId = of.company.agents[0]!.id;
    this.#facts = of.facts;
    this.#seq = of.seq;
  }

  static async of(store: PostgresStore, company: Company, epoch: number): Promise<Maker> {
    const agentId = company.agents[0]!.id;
    const [row] = await store.load([agentId]);
    const agents = agentKind(DEFAULT_POLICY) as AnyKind;
    const facts = { [agentId]: agents.facts(revive(agents, row!).state) };
    const { head: seq } = await store.entries(company.id, 0, 1);
    return new Maker({ company, epoch, facts, seq });
  }

  batch(count: number, dueAt: (n: number) => number): Batch {
    const rows: ActorRow[] = [];
    const entries: EntryRow[] = [];
    const records: RecordRow[] = [];
    for (let n = 0; n < count; n++) this.#make(dueAt(n), { rows, entries, records });
    return { owner: OWNER, epochs: new Map([[this.#partition, this.#epoch]]), rows, entries, records };
  }

  #make(due: number, into: { rows: ActorRow[]; entries: EntryRow[]; records: RecordRow[] }): void {
    const id = idOf('i', this.#partition, randomBytes(9).toString('hex'));
    const ordinal = ++this.#ordinal;
    const { id: companyId, prefix } = this.#company;
    const kind = this.#kind as AnyKind;
    const actor = new Resident({ id, kind, companyId, partition: this.#partition, ordinal }, null);
    const asked = { title: `Renew the certificate of host ${ordinal}`, assigneeAgentId: this.#agentId };
    const failed = {
      type: 'RUN.FAILED',
      runId: `${id}.1`,
      fence: 1,
      error: '429 overloaded',
      errorFamily: 'transient_upstream',
      resultJson: { retryNotBefore: due },
    };
    const steps = [
      { event: kind.born(asked, { id, prefix, ordinal }), by: OPERATOR },
      { event: kind.grant!('claim'), by: SYSTEM },
      { event: failed, by: { kind: 'agent', id: this.#agentId } as const },
    ];
    let before: Version | null = null;
    for (const { event, by } of steps) {
      const stamp = { at: Date.now() - AGO_MS, u: 0.5, ids: [], facts: this.#facts };
      const made = advance(kind, before, event, stamp, by, null);
      if (!made) throw new Error(`${event.type} is not handled`);
      const { after, stepped } = made;
      const effects: { type: string; data: Record<string, unknown> }[] = [];
      for (const out of stepped.out) {
        if (out.out === 'effect') effects.push({ type: out.type, data: out.data });
        if (out.out === 'record') {
          const record = JSON.stringify(out.record);
          const of = { partition: this.#partition, companyId, actorId: id };
          into.records.push({ ...of, kind: out.kind, id: out.id, at: stamp.at, record });
        }
      }
      const draft = { actor, before, after, type: event.type, event, stamp, by, key: null, effects };
      const entry = new SealedEntry(companyId, ++this.#seq, draft, { showView: () => '' });
      into.entries.push(entry.row(this.#partition, this.#epoch));
      before = after;
    }
    into.rows.push(rowOf(actor, before!));
  }
}

function rowOf({ id, kind, companyId, partition, ordinal }: Resident, after: Version): ActorRow {
  const columns = kind.columns(after.state);
  if (columns.state !== 'scheduled-retry') throw new Error(`it is ${columns.state}, not waiting for a retry`);
  return {
    ...{ partition, id, companyId, kind: kind.kind, ordinal, ...columns },
    ...{ pool: null, holds: false, rank: null, dueAt: earliest(after.timers) },
    ...{ version: after.version, machineVersion: kind.version, updatedAt: after.updatedAt },
    ...{ snapshot: snapshotText(after), head: JSON.stringify(after.head) },
  };
}
