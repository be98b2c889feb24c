/**
 * Retention, in chunks: each call is three short statements that delete at most `limit` rows each (an actor takes its
 * records and logs along). Not fenced: what it deletes nobody changes any more, and deleting it twice is nothing.
 *
 * Rules, with their reasons:
 * - Entries go from the old end of a company's journal only, so that seq has no gap; the last one always stays, since
 *   numbering goes on from it (A8). The entries of a deleted actor are older than its end and go the same way.
 * - The newest actor of a company and kind stays, whatever its state: its ordinal would be given again.
 * - An actor that wants or holds a slot, or has a timer, stays, whatever its state and age: of what happens outside turns
 *   (a lease that is renewed) its row knows nothing, and the slot of one that was deleted would be given to another (P7).
 */
import type pg from 'pg';

const ENTRIES = `
with old as (
  select c.partition, c.id, e.seq
  from companies c
  cross join lateral (
    select at from journal j where j.partition = c.partition and j.company_id = c.id order by seq limit 1) first
  cross join lateral (
    select seq from journal j where j.partition = c.partition and j.company_id = c.id order by seq desc limit 1) last
  cross join lateral (
    select seq, bool_and(at < $2) over (order by seq) as old
    from (select seq, at from journal j
          where j.partition = c.partition and j.company_id = c.id and seq <= last.seq - $3::bigint
          order by seq limit $4) head
  ) e
  where c.partition = any ($1::smallint[]) and first.at < $2 and e.old
  order by c.partition, c.id, e.seq limit $4
)
delete from journal j using old o
where j.partition = o.partition and j.company_id = o.id and j.seq = o.seq`;

const RECORDS = `
with old as (
  select partition, actor_id, kind, id from records
  where partition = any ($1::smallint[]) and at < $2
  order by partition, actor_id, kind, id limit $3
), gone as (
  delete from records r using old o
  where r.partition = o.partition and r.actor_id = o.actor_id and r.kind = o.kind and r.id = o.id
  returning r.partition, r.id
), logs as (
  delete from run_logs l using gone g where l.partition = g.partition and l.run_id = g.id
)
select count(*) as gone from gone`;

const ACTORS = `
with old as (
  select partition, id from actors a
  where partition = any ($1::smallint[]) and state = any ($3::text[]) and updated_at < $2
    and pool is null and due_at is null
    and exists (select from actors n where n.partition = a.partition and n.company_id = a.company_id
                and n.kind = a.kind and n.ordinal > a.ordinal)
  order by partition, id limit $4
), gone as (
  delete from actors a using old o
  where a.partition = o.partition and a.id = o.id and a.updated_at < $2
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
  partitions: readonly number[],
  before: number,
  ended: readonly string[],
  keepEntries: number,
  limit: number,
): Promise<number> {
  const entries = await pool.query(ENTRIES, [partitions, before, Math.max(keepEntries, 1), limit]);
  let gone = entries.rowCount ?? 0;
  const records = await pool.query<{ gone: number }>(RECORDS, [partitions, before, limit - gone]);
  gone += records.rows[0]!.gone;
  const actors = await pool.query<{ gone: number }>(ACTORS, [partitions, before, ended, limit - gone]);
  return gone + actors.rows[0]!.gone;
}
