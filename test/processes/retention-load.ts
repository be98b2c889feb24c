/**
 * What deleting costs the commits beside it (C19): the same commits with and without, by turns, on a durable PostgreSQL.
 * Deleting goes in chunks as a node does it, from journals long enough that there is always more to delete.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../src/persistence/migrate.ts';
import { PostgresStore } from '../../src/persistence/postgres-store.ts';
import { batch, company, entry, id, own, record, row } from '../contract/rows.ts';
import { CampaignPostgres } from './world/postgres.ts';
import { Starvation } from './world/starvation.ts';

/** As src/supervisor/retention.ts has them. */
const KEEP_ENTRIES = 10_000;
const CHUNK = 500;
const PAUSE_MS = 100;
const COMPANIES = [0x00a, 0x00b, 0x00c, 0x00d];
const OLD_ENTRIES = 40_000;
const OLD_RECORDS = 10_000;
const OLD_ACTORS = 2_000;
const WINDOW_MS = 2_500;
const WINDOWS = 4;
/** A commit may be this much later for it, ms. */
const MOST_MS = 50;

export interface RetentionFigures {
  readonly without: readonly number[];
  readonly beside: readonly number[];
  readonly chunks: readonly number[];
  readonly deleted: number;
  /** How much later the slowest commit beside deleting was, ms, and for how long no processor was free meanwhile. */
  readonly laterMs: number;
  readonly starvedMs: number;
  readonly violations: readonly string[];
}

export async function retentionLoad(): Promise<RetentionFigures> {
  const postgres = await CampaignPostgres.open();
  const store = new PostgresStore({ url: postgres.url() });
  const starvation = new Starvation();
  try {
    await migrate(postgres.url());
    await seed(postgres);
    const epochs = await own(store, 'n1');
    const before = Date.now() - 86_400_000;
    const without: number[] = [];
    const beside: number[] = [];
    const chunks: number[] = [];
    let deleted = 0;
    let version = 1;
    const commits = async (into: number[]) => {
      const until = performance.now() + WINDOW_MS;
      const committer = async (partition: number) => {
        while (performance.now() < until) {
          version++;
          const actorId = id('i', 900_001, partition);
          const seq = OLD_ENTRIES + version;
          const since = performance.now();
          const outcome = await store.commit(
            batch('n1', new Map([[partition, epochs.get(partition)!]]), {
              rows: [row(900_001, { id: actorId, version, updatedAt: Date.now() })],
              entries: [entry(seq, actorId, version, { at: Date.now() })],
              records: [record(version, { actorId, at: Date.now() })],
            }),
          );
          if (outcome.is !== 'committed') throw new Error(`a commit was ${outcome.is}`);
          into.push(performance.now() - since);
          await sleep(2);
        }
      };
      await Promise.all(COMPANIES.map(committer));
    };
    const deleting = async (over: () => boolean) => {
      while (!over()) {
        const since = performance.now();
        deleted += await store.prune({ owner: 'n1', epochs }, before, ['done'], KEEP_ENTRIES, CHUNK);
        chunks.push(performance.now() - since);
        await sleep(PAUSE_MS);
      }
    };
    await commits([]);
    const starvedBefore = starvation.ms;
    for (let window = 0; window < WINDOWS; window++) {
      await commits(without);
      let over = false;
      const pruned = deleting(() => over);
      await commits(beside);
      over = true;
      await pruned;
    }
    const starvedMs = starvation.ms - starvedBefore;
    const laterMs = Math.max(...beside) - Math.max(...without);
    const violations: string[] = [];
    if (deleted < 1_000) violations.push(`retention deleted only ${deleted} rows: nothing was measured`);
    // Where others had the processors, the slowest commit says nothing of deleting.
    if (laterMs > MOST_MS + starvedMs)
      violations.push(`beside deleting the slowest commit took ${laterMs.toFixed(0)} ms longer`);
    return { without, beside, chunks, deleted, laterMs, starvedMs, violations };
  } finally {
    starvation.stop();
    await store.close();
    await postgres.close();
  }
}

/** Old entries, records and ended actors of each company; the newest actor lives. */
async function seed(postgres: CampaignPostgres): Promise<void> {
  for (const partition of COMPANIES) {
    const { id: companyId, name, prefix } = company(1, partition);
    const old = id('i', 800_000, partition);
    await postgres.query(
      'insert into companies (partition, created_at, id, name, prefix) values ($1, 1, $2, $3, $4)',
      [partition, companyId, name, prefix],
    );
    await postgres.query(
      `insert into journal (partition, company_id, seq, actor_id, version, epoch, at, entry)
       select $1, $2, n, $3, n, 1, n, $4 from generate_series(1, ${OLD_ENTRIES}) n`,
      [partition, companyId, old, JSON.stringify({ type: 'PRIORITY', text: 'x'.repeat(400) })],
    );
    await postgres.query(
      `insert into records (partition, company_id, actor_id, kind, id, at, record)
       select $1, $2, $3, 'run', $3 || '.' || n, n, '{"n":1}' from generate_series(1, ${OLD_RECORDS}) n`,
      [partition, companyId, old],
    );
    await postgres.query(
      `insert into actors (partition, id, company_id, kind, ordinal, state, priority, holds, version, machine_version,
        snapshot, head, updated_at)
       select $1, $3 || to_char(n, 'FM00000'), $2, 'issue', n, 'done', 0, false, 1, 1, '{}', '{}', n
       from generate_series(1, ${OLD_ACTORS}) n`,
      [partition, companyId, old],
    );
  }
  await postgres.query('analyze');
}
