/**
 * Who owns which partition. One heartbeat row a node, one row a partition with owner and epoch; all times are the
 * database's (`clock_timestamp()`: `now()` would be the start of the transaction).
 *
 * Invariants: S4 – an epoch only grows (`greatest(epoch + 1, clock in ms)`), and one row has one owner. A partition
 * whose commit is in flight is locked by it (`for share`) and is skipped: it is taken at the next look.
 */
import type pg from 'pg';
import { LOCK_CLASS, NodeLock } from './node-lock.ts';
import { CONNECT_TIMEOUT_MS, type DatabaseOptions, openPool, type Pool } from './pool.ts';
import type { Owned } from './store.ts';

const BEAT = {
  name: 'baton-beat',
  text: `
insert into nodes (id, seen_at, locked) values ($1, clock_timestamp(), $2)
on conflict (id) do update set seen_at = clock_timestamp(), locked = excluded.locked
returning floor(extract(epoch from seen_at) * 1000)::bigint as now,
  (select count(*) from partitions where owner = $1) as owned`,
};

/**
 * Gone: silent for the TTL, or known to have held its advisory lock, which is free. The latter counts only when the
 * server is older than the TTL: after its restart everybody's lock is free for a moment.
 */
const ACQUIRE = {
  name: 'baton-acquire',
  text: `
with alive as (
  select n.id from nodes n
  where n.seen_at >= clock_timestamp() - $2::float8 * interval '1 millisecond'
    and not (
      n.locked
      and pg_postmaster_start_time() < clock_timestamp() - $2::float8 * interval '1 millisecond'
      and not exists (
        select from pg_locks l
        where l.locktype = 'advisory' and l.objsubid = 2 and l.granted
          and l.database = (select oid from pg_database where datname = current_database())
          and l.classid = ${LOCK_CLASS} and l.objid = hashtext(n.id)::oid))
), orphans as (
  select p.partition from partitions p
  where p.owner is null
    or (p.owner = $1 and p.partition <> all ($4::smallint[]))
    or (p.owner <> $1 and p.owner not in (select id from alive))
  order by p.partition
  limit $3
  for update skip locked
)
update partitions p
set owner = $1, epoch = greatest(p.epoch + 1, floor(extract(epoch from clock_timestamp()) * 1000)::bigint)
from orphans o where p.partition = o.partition
returning p.partition, p.epoch`,
};

const RELEASE = 'update partitions set owner = null where owner = $1 and partition = any ($2::smallint[])';

/** The lock was taken after the beat that could not say so. */
const LOCKED = 'update nodes set locked = true where id = $1';

/** Rows of nodes of earlier boots; once a boot is enough. */
const FORGET = `
delete from nodes n where seen_at < clock_timestamp() - interval '1 day'
  and not exists (select from partitions p where p.owner = n.id)`;

/**
 * A beat and a look for orphans may overlap, and neither waits for reads or commits: one connection each. Beats have only
 * the one, which is closed when an answer does not come. Over a way that is half open – requests arrive, answers do not –
 * a second connection would go on saying that this node lives, which serves nobody by then, and keep others from taking
 * over; a new connection cannot be made there, so the unanswered beat is the last one that the database hears.
 */
export class Leases {
  readonly #beats: pg.Pool;
  readonly #looks: Pool;
  readonly #lock: NodeLock;
  #forgotten = false;

  constructor(options: DatabaseOptions) {
    const { leaseTimeoutMs: patience, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
    const hasty =
      patience === undefined
        ? options
        : { ...options, queryTimeoutMs: patience, connectTimeoutMs: Math.min(connectTimeoutMs, patience) };
    this.#beats = openPool(hasty, 1);
    this.#looks = openPool(hasty, 1);
    this.#lock = new NodeLock(hasty);
  }

  onDoubt(listener: () => void): void {
    this.#lock.onLost(listener);
  }

  async beat(node: string): Promise<{ databaseNow: number; owned: number }> {
    // The lock is a hint: taking it may hang, and a heartbeat that waited for it would cost the lease.
    const locked = this.#lock.holds(node);
    const answer = await this.#beats.query<{ now: number; owned: number }>({
      ...BEAT,
      values: [node, locked],
    });
    if (!locked) void this.#hold(node);
    if (!this.#forgotten) {
      this.#forgotten = true;
      await this.#looks.query(FORGET);
    }
    const { now, owned } = answer.rows[0]!;
    return { databaseNow: now, owned };
  }

  /** Takes the lock and says so; what fails is made up by the next beat. */
  async #hold(node: string): Promise<void> {
    if (await this.#lock.hold(node)) await this.#looks.query(LOCKED, [node]).catch(() => {});
  }

  async acquire(node: string, ttlMs: number, want: number, holding: ReadonlySet<number>): Promise<Owned[]> {
    const values = [node, ttlMs, want, [...holding]];
    const answer = await this.#looks.query<{ partition: number; epoch: number }>({ ...ACQUIRE, values });
    return answer.rows.sort((a, b) => a.partition - b.partition);
  }

  /** A beat has just been answered: its connection is a good one. */
  renew(): void {
    this.#looks.cut();
  }

  async release(node: string, partitions: readonly number[]): Promise<void> {
    await this.#looks.query(RELEASE, [node, partitions]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#lock.close(), this.#beats.end(), this.#looks.end()]);
  }
}
