/**
 * The yardstick: the product's own commit statement, by its own store, looped bare. Rows, entries and records are those
 * of the run that is measured – sampled from its tables while it ran, so of the same size and kind – under actors of
 * their own in the same partitions; only ids, versions and numbers are new each time, so that everything is written.
 */
import { randomBytes } from 'node:crypto';
import { idOf, partitionOf } from '../../src/ids.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import type { ActorRow, Batch, EntryRow, RecordRow } from '../../src/persistence/store.ts';
import { LANES } from '../../src/supervisor/node.ts';
import { withClient } from './cluster.ts';

/** How a server's batches look on average. */
export interface BatchShape {
  readonly rows: number;
  readonly entries: number;
  readonly records: number;
}

/** Texts and columns of rows as a server wrote them. */
export interface Sample {
  readonly rows: readonly Omit<ActorRow, 'head'>[];
  readonly heads: readonly string[];
  readonly entries: readonly string[];
  readonly records: readonly { kind: string; record: string }[];
}

/** Bytes a row on average: what makes two runs comparable. */
export function bytesOf(sample: Sample): { snapshot: number; entry: number; record: number } {
  const mean = (texts: readonly string[]) =>
    Math.round(texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / Math.max(1, texts.length));
  return {
    snapshot: mean(sample.rows.map((row) => row.snapshot)),
    entry: mean(sample.entries),
    record: mean(sample.records.map(({ record }) => record)),
  };
}

const SAMPLED = 2000;
/** Actors of the loop made in one statement. */
const BIRTHS = 100;

/** Takes a sample of what a running server has written last. */
export function takeSample(url: string): Promise<Sample> {
  return withClient(url, async (client) => {
    const rows = await client.query<Sample['rows'][number] & { head: string }>(
      `select partition, id, company_id as "companyId", kind, ordinal, state, substate, assignee, priority, pool, holds,
         rank, due_at as "dueAt", version, machine_version as "machineVersion", snapshot, head, updated_at as "updatedAt"
       from actors where kind = 'issue' order by updated_at desc limit $1`,
      [SAMPLED],
    );
    const entries = await client.query<{ entry: string }>(
      'select entry from journal order by at desc limit $1',
      [SAMPLED],
    );
    const records = await client.query<{ kind: string; record: string }>(
      'select kind, record from records order by at desc limit $1',
      [SAMPLED],
    );
    return {
      rows: rows.rows.map(({ head: _, ...row }) => row),
      heads: rows.rows.map(({ head }) => head),
      entries: entries.rows.map(({ entry }) => entry),
      records: records.rows,
    };
  });
}

interface Lane {
  readonly companies: { readonly id: string; readonly partition: number; seq: number }[];
  readonly actors: {
    readonly id: string;
    readonly company: number;
    readonly ordinal: number;
    version: number;
  }[];
  next: number;
  samples: number;
}

export class BareCommit {
  readonly #store: PostgresStore;
  readonly #sample: Sample;
  readonly #lanes: Lane[] = [];
  #owner = '';
  #epochs = new Map<number, number>();

  private constructor(url: string, sample: Sample) {
    this.#store = new PostgresStore({ url, commitConnections: LANES });
    this.#sample = sample;
  }

  /**
   * @param companyIds companies of the run: the loop works in their partitions.
   * @param actors how many rows are written again and again.
   */
  static async open(
    url: string,
    of: { companyIds: readonly string[]; actors: number; sample: Sample },
  ): Promise<BareCommit> {
    const bare = new BareCommit(url, of.sample);
    const partitions = of.companyIds.map(partitionOf);
    // The server's own fence: the statement proves it for us as it does for the server.
    const owners = await bare.#store.owners(partitions);
    bare.#owner = owners[0]!.owner!;
    bare.#epochs = new Map(owners.map(({ partition, epoch }) => [partition, epoch]));
    for (let n = 0; n < LANES; n++) {
      const companies = partitions
        .filter((partition) => partition % LANES === n)
        .map((partition) => ({ id: idOf('c', partition, random()), partition, seq: 0 }));
      const actors = Array.from({ length: Math.floor(of.actors / LANES) }, (_, ordinal) => {
        const company = ordinal % companies.length;
        return { id: idOf('i', companies[company]!.partition, random()), company, ordinal, version: 0 };
      });
      const lane: Lane = { companies, actors, next: 0, samples: 0 };
      bare.#lanes.push(lane);
      for (let born = 0; born < actors.length; born += BIRTHS) {
        const count = Math.min(BIRTHS, actors.length - born);
        await bare.#commit(lane, { rows: count, entries: count, records: 0 }, true);
      }
    }
    return bare;
  }

  /** Loops over all lanes at once for `ms`; answers committed entries a second. */
  async run(ms: number, shape: BatchShape): Promise<number> {
    const since = performance.now();
    const counts = await Promise.all(
      this.#lanes.map(async (lane) => {
        let count = 0;
        while (performance.now() - since < ms) count += await this.#commit(lane, shape, false);
        return count;
      }),
    );
    return counts.reduce((a, b) => a + b) / ((performance.now() - since) / 1000);
  }

  /** One commit over one connection, ms: what one event alone costs the database. */
  async once(shape: BatchShape): Promise<number> {
    const since = performance.now();
    await this.#commit(this.#lanes[0]!, shape, false);
    return performance.now() - since;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  async #commit(lane: Lane, shape: BatchShape, first: boolean): Promise<number> {
    const batch = this.#batch(lane, shape, first);
    const outcome = await this.#store.commit(batch);
    if (outcome.is !== 'committed') throw new Error('the bare commit failed', { cause: outcome.error });
    if (outcome.proved.size !== batch.epochs.size) throw new Error('the bare commit was fenced off');
    return batch.entries.length;
  }

  #batch(lane: Lane, shape: BatchShape, first: boolean): Batch {
    const { rows, heads, entries, records } = this.#sample;
    const batch = {
      rows: [] as ActorRow[],
      entries: [] as EntryRow[],
      records: [] as RecordRow[],
    };
    const at = Date.now();
    const epochs = new Map<number, number>();
    for (let n = 0; n < shape.entries; n++) {
      const actor = lane.actors[(lane.next + (n % shape.rows)) % lane.actors.length]!;
      const company = lane.companies[actor.company]!;
      const { partition, id: companyId } = company;
      const epoch = this.#epochs.get(partition)!;
      epochs.set(partition, epoch);
      actor.version++;
      const entry = entries[lane.samples++ % entries.length]!;
      batch.entries.push({
        partition,
        companyId,
        seq: ++company.seq,
        actorId: actor.id,
        version: actor.version,
        epoch,
        at,
        entry,
      });
    }
    for (let n = 0; n < shape.rows; n++) {
      const { id, company, ordinal, version } = lane.actors[(lane.next + n) % lane.actors.length]!;
      const { partition, id: companyId } = lane.companies[company]!;
      const index = lane.samples++ % rows.length;
      const head = first ? heads[index]! : null;
      batch.rows.push({ ...rows[index]!, partition, companyId, id, ordinal, version, head, updatedAt: at });
    }
    for (let n = 0; n < shape.records; n++) {
      const { id: actorId, company } = lane.actors[(lane.next + n) % lane.actors.length]!;
      const { partition, id: companyId } = lane.companies[company]!;
      const { kind, record } = records[lane.samples++ % records.length]!;
      batch.records.push({ partition, companyId, actorId, kind, id: random(), at, record });
    }
    lane.next = (lane.next + shape.rows) % lane.actors.length;
    return { owner: this.#owner, epochs, ...batch };
  }
}

function random(): string {
  return randomBytes(9).toString('hex');
}
