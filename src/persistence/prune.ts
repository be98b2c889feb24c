/**
 * Retention, in chunks: each call is three short statements that delete at most `limit` rows each (an actor takes its
 * records and logs along). Fenced like a commit (S1), with a lock on no more partitions than it deletes from: an owner
 * has nothing in memory that it has asked to delete, and cannot know what another has asked for.
 *
 * Rules, with their reasons:
 * - Entries go from the old end of a company's journal only, so that seq has no gap; the last one always stays, since
 *   numbering goes on from it (A8). The entries of a deleted actor are older than its end and go the same way.
 * - The newest actor of a company and kind stays, whatever its state: its ordinal would be given again.
 * - An actor that wants or holds a slot, or has a timer, stays, whatever its state and age: of what happens outside turns
 *   (a lease that is renewed) its row knows nothing, and the slot of one that was deleted would be given to another (P7).
 */
import type pg from 'pg';
import type { Held } from './store.ts';

/** $1 holds them at these epochs, as far as can be seen without a lock. */
const HELD = `held as materialized (
  select q.partition, q.epoch
  from partitions q join unnest($2::smallint[], $3::bigint[]) o(partition, epoch) on q.partition = o.partition
  where q.owner = $1 and q.epoch = o.epoch
)`;

/** Those of `old`, locked: nobody takes them meanwhile, nor has taken them since. */
const FENCE = `fence as materialized (
  select q.partition from partitions q join held h on q.partition = h.partition
  where q.owner = $1 and q.epoch = h.epoch and q.partition in (select partition from old)
  order by q.partition
  for share of q
)`;

const ENTRIES = `
with ${HELD}, old as (
  select c.partition, c.id, e.seq
  from companies c
  cross join lateral (
    select at from journal j where j.partition = c.partition and j.company_id = c.id order by seq limit 1) first
  cross join lateral (
    select seq from journal j where j.partition = c.partition and j.company_id = c.id order by seq desc limit 1) last
  cross join lateral (
    select seq, bool_and(at < $4) over (order by seq) as old
    from (select seq, at from journal j
          where j.partition = c.partition and j.company_id = c.id and seq <= last.seq - $5::bigint
          order by seq limit $6) head
  ) e
  where c.partition = any (array(select partition from held)) and first.at < $4 and e.old
  order by c.partition, c.id, e.seq limit $6
), ${FENCE}
delete from journal j using old o join fence using (partition)
where j.partition = o.partition and j.company_id = o.id and j.seq = o.seq`;

const RECORDS = `
with ${HELD}, old as (
  select partition, actor_id, kind, id from records
  where partition = any (array(select partition from held)) and at < $4
  order by partition, actor_id, kind, id limit $5
), ${FENCE}, gone as (
  delete from records r using old o join fence using (partition)
  where r.partition = o.partition and r.actor_id = o.actor_id and r.kind = o.kind and r.id = o.id
  returning r.partition, r.id
), logs as (
  delete from run_logs l using gone g where l.partition = g.partition and l.run_id = g.id
)
select count(*) as gone from gone`;

const ACTORS = `
with ${HELD}, old as (
  select partition, id from actors a
  where partition = any (array(select partition from held)) and state = any ($5::text[]) and updated_at < $4
    and pool is null and due_at is null
    and exists (select from actors n where n.partition = a.partition and n.company_id = a.company_id
                and n.kind = a.kind and n.ordinal > a.ordinal)
  order by partition, id limit $6
), ${FENCE}, gone as (
  delete from actors a using old o join fence using (partition)
  where a.partition = o.partition and a.id = o.id and a.updated_at < $4
  returning a.partition, a.id
), finished as (
  delete from records r using gone g where r.partition = g.partition and r.actor_id = g.id returning 1
), logs as (
  delete from run_logs l using gone g
  where l.partition = g.partition and l.run_id > g.id || '.' and l.run_id < g.id || '/'
)
select (select count(*) from gone) + (select count(*) from finished) as gone`;

export async function prune(
  pool: pg.Pool,
  { owner, epochs }: Held,
  before: number,
  ended: readonly string[],
  keepEntries: number,
  limit: number,
): Promise<number> {
  const held = [owner, [...epochs.keys()], [...epochs.values()], before];
  const entries = await pool.query(ENTRIES, [...held, Math.max(keepEntries, 1), limit]);
  let gone = entries.rowCount ?? 0;
  // A chunk that is full already asks no more: of 4,096 partitions the fence alone is milliseconds.
  if (gone >= limit) return gone;
  const records = await pool.query<{ gone: number }>(RECORDS, [...held, limit - gone]);
  gone += records.rows[0]!.gone;
  if (gone >= limit) return gone;
  const actors = await pool.query<{ gone: number }>(ACTORS, [...held, ended, limit - gone]);
  return gone + actors.rows[0]!.gone;
}
