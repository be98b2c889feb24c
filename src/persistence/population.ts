/** Everything that is stored of actors, read page by page and nothing changed: for `baton migrate --dry-run`. */
import pg from 'pg';
import { connection } from './pool.ts';
import type { ActorRow } from './store.ts';

/** What of a row says whether it can be taken up. */
export type StoredActor = Pick<
  ActorRow,
  'partition' | 'id' | 'kind' | 'machineVersion' | 'version' | 'snapshot' | 'head' | 'updatedAt'
>;

const PAGE = 2000;
/** Patience with one page, ms. */
const PATIENCE_MS = 60_000;

/** All actors in order of (partition, id), as of one moment; nothing where the schema is not there yet. */
export async function* population(url: string): AsyncGenerator<readonly StoredActor[]> {
  const client = new pg.Client(connection({ url, queryTimeoutMs: PATIENCE_MS }));
  client.on('error', () => {}); // whatever is under way rejects as well
  await client.connect();
  try {
    await client.query('begin transaction isolation level repeatable read read only');
    const there = await client.query<{ there: boolean }>("select to_regclass('actors') is not null as there");
    if (!there.rows[0]!.there) return;
    for (let last: Pick<StoredActor, 'partition' | 'id'> = { partition: -1, id: '' }; ; ) {
      const { rows } = await client.query<StoredActor>(
        `select partition, id, kind, machine_version as "machineVersion", version, snapshot, head, updated_at as "updatedAt"
         from actors where (partition, id) > ($1, $2) order by partition, id limit ${PAGE}`,
        [last.partition, last.id],
      );
      if (rows.length > 0) yield rows;
      if (rows.length < PAGE) return;
      last = rows.at(-1)!;
    }
  } finally {
    await client.end().catch(() => {});
  }
}
