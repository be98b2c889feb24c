/** The reads of `postgres-store.ts` that are fixed statements: one name each, prepared once a connection. */
import { ACTOR, LAST_SEQ, readable } from './list.ts';

const ENTRY = `e.partition, e.company_id as "companyId", e.seq, e.actor_id as "actorId", e.version, e.epoch, e.at, e.entry`;

const RECORD = `r.partition, r.company_id as "companyId", r.actor_id as "actorId", r.kind, r.id, r.at, r.record`;

/** $1 partitions, $2 ids, pairwise. */
export const LOAD = {
  name: 'baton-load',
  text: `
select ${ACTOR} from unnest($1::smallint[], $2::text[]) w(partition, id)
  join actors a on a.partition = w.partition and a.id = w.id`,
};

/** $1 partitions. */
export const OWNERS = {
  name: 'baton-owners',
  text: 'select partition, owner, epoch from partitions where partition = any ($1::smallint[]) order by partition',
};

/** $1 partitions, $2 and $3 the last key seen, $4 limit. The sub-select is hashed, not compared one by one. */
export const LIVE = {
  name: 'baton-live',
  text: `
select ${ACTOR} from actors a
where a.pool is not null and (a.partition, a.id) > ($2, $3)
  and (a.partition in (select unnest($1::smallint[]))) is true
order by a.partition, a.id limit $4`,
};

/**
 * $1 partitions. Look-ups only: the end of the primary key of the journal for seq; for ordinals the end of
 * `actors_ordinal`, then the end before the kind just seen, and so on.
 */
export const COUNTERS = {
  name: 'baton-counters',
  text: `
select c.id as "companyId", c.prefix, coalesce(s.seq, 0) as seq, coalesce(o.ordinals, '{}') as ordinals
from companies c
left join lateral (
  select j.seq from journal j where j.partition = c.partition and j.company_id = c.id
  order by j.seq desc limit 1
) s on true
left join lateral (
  with recursive last(kind, ordinal) as (
    (select a.kind, a.ordinal from actors a where a.partition = c.partition and a.company_id = c.id
     order by a.kind desc, a.ordinal desc limit 1)
    union all
    select n.kind, n.ordinal from last, lateral (
      select a.kind, a.ordinal from actors a
      where a.partition = c.partition and a.company_id = c.id and a.kind < last.kind
      order by a.kind desc, a.ordinal desc limit 1) n
  )
  select json_object_agg(last.kind, last.ordinal) as ordinals from last
) o on true
where c.partition = any ($1::smallint[])
order by c.partition, c.id`,
};

/** $1 partition, $2 company, $3 due before. */
export const COUNTS = {
  name: 'baton-counts',
  text: `
with last as materialized (select ${LAST_SEQ} as seq)
select last.seq, g.* from last left join lateral (
  select kind, state, substate, count(*) as count, count(*) filter (where due_at < $3) as due
  from actors where partition = $1 and company_id = $2
  group by kind, state, substate
) g on true
order by g.kind, g.state, g.substate`,
};

/** $1 partition, $2 company, $3 after, $4 limit. */
export const ENTRIES = {
  name: 'baton-entries',
  text: `
with last as materialized (select ${LAST_SEQ} as seq,
  coalesce((select seq from journal where partition = $1 and company_id = $2 order by seq limit 1), 1) as oldest)
select last.seq as last, last.oldest, r.* from last left join lateral (
  select ${ENTRY} from journal e where e.partition = $1 and e.company_id = $2 and e.seq > $3
  order by e.seq limit $4
) r on true
order by r.seq`,
};

/** $1 partition, $2 actor, $3 after, $4 limit. */
export const HISTORY = {
  name: 'baton-history',
  text: `
select ${ENTRY} from journal e where e.partition = $1 and e.actor_id = $2 and e.version > $3
order by e.version limit $4`,
};

/** $1 partition, $2 actor, $3 kind, $4 and $5 the last key seen, $6 limit. */
export const RECORDS = {
  name: 'baton-records',
  text: `
select ${RECORD} from records r where r.partition = $1 and r.actor_id = $2 and r.kind = $3 and (r.at, r.id) > ($4, $5)
order by r.at, r.id limit $6`,
};

/** $1 partition, $2 company, $3 kind, $4 and $5 the last key seen, $6 and $7 key and value or nulls, $8 limit. */
export const COMPANY_RECORDS = {
  name: 'baton-company-records',
  text: `
select ${RECORD} from records r
where r.partition = $1 and r.company_id = $2 and r.kind = $3 and (r.actor_id, r.id) > ($4, $5)
  and case when $6::text is null then true when not ${readable('r.record')} then false
    else json_typeof(r.record -> $6) = 'string' and r.record ->> $6 = $7::text end
order by r.actor_id, r.id limit $8`,
};

/** $1 partition, $2 actor, $3 kind, $4 id. */
export const RECORD_ONE = {
  name: 'baton-record',
  text: `select ${RECORD} from records r where r.partition = $1 and r.actor_id = $2 and r.kind = $3 and r.id = $4`,
};
