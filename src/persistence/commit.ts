/**
 * The commit: one named prepared statement that proves the fence and writes rows, entries and records of a batch
 * (ARCHITECTURE A1, A4), and the encoding of a batch into its parameters.
 *
 * Invariants: S1 – the epoch is proved with a row lock in the same statement; S2 – `actors.version < excluded.version`
 * and `on conflict do nothing`; S3 – it is one statement.
 *
 * Encoding: the Node thread is the bottleneck of the whole server, so text columns are not sent as PostgreSQL arrays
 * (each text would be escaped in JavaScript) but joined by a character that JSON text cannot contain, and split in the
 * database. Numbers are sent as array literals, which need no escaping. Figures: decision 0004.
 */
import type { Batch } from './store.ts';

/** Ends each text of a column. JSON text holds no raw control character, ids and state names are plain. */
const END = '\x1e';
/** Stands for null. */
const NULL = '\x1f';

export type Encoded =
  | { readonly is: 'encoded'; readonly values: string[] }
  /** A text holds one of the two characters above: it cannot be told apart from the encoding. */
  | { readonly is: 'unstorable'; readonly column: string };

/** A batch as the values of `COMMIT`, in order. Pure. */
export function encode(batch: Batch): Encoded {
  const { rows, entries, records } = batch;
  const writer = new Writer();
  writer.plain(batch.owner);
  writer.numbers([...batch.epochs.keys()], (n) => n);
  writer.numbers([...batch.epochs.values()], (n) => n);

  writer.numbers(rows, (r) => r.partition);
  writer.texts('id', rows, (r) => r.id);
  writer.texts('companyId', rows, (r) => r.companyId);
  writer.texts('kind', rows, (r) => r.kind);
  writer.numbers(rows, (r) => r.ordinal);
  writer.texts('state', rows, (r) => r.state);
  writer.texts('substate', rows, (r) => r.substate);
  writer.texts('assignee', rows, (r) => r.assignee);
  writer.numbers(rows, (r) => r.priority);
  writer.texts('pool', rows, (r) => r.pool);
  writer.numbers(rows, (r) => (r.holds ? 1 : 0));
  writer.numbers(rows, (r) => r.rank);
  writer.numbers(rows, (r) => r.dueAt);
  writer.numbers(rows, (r) => r.version);
  writer.numbers(rows, (r) => r.machineVersion);
  writer.texts('snapshot', rows, (r) => r.snapshot);
  writer.texts('head', rows, (r) => r.head);
  writer.numbers(rows, (r) => r.updatedAt);

  writer.numbers(entries, (e) => e.partition);
  writer.texts('companyId', entries, (e) => e.companyId);
  writer.numbers(entries, (e) => e.seq);
  writer.texts('actorId', entries, (e) => e.actorId);
  writer.numbers(entries, (e) => e.version);
  writer.numbers(entries, (e) => e.epoch);
  writer.numbers(entries, (e) => e.at);
  writer.texts('entry', entries, (e) => e.entry);

  writer.numbers(records, (r) => r.partition);
  writer.texts('companyId', records, (r) => r.companyId);
  writer.texts('actorId', records, (r) => r.actorId);
  writer.texts('kind', records, (r) => r.kind);
  writer.texts('id', records, (r) => r.id);
  writer.numbers(records, (r) => r.at);
  writer.texts('record', records, (r) => r.record);
  return writer.end();
}

class Writer {
  readonly #values: string[] = [];
  #unstorable: string | null = null;

  plain(text: string): void {
    this.#values.push(text);
  }

  numbers<T>(items: readonly T[], of: (item: T) => number | null): void {
    let out = '{';
    for (let n = 0; n < items.length; n++) {
      if (n > 0) out += ',';
      out += of(items[n]!) ?? 'null';
    }
    this.#values.push(`${out}}`);
  }

  /**
   * Each text is *ended*, not separated: `string_to_array('', …)` would be no element instead of one empty one. The
   * empty element after the last end meets no partition in the statement and is dropped by the join.
   */
  texts<T>(column: string, items: readonly T[], of: (item: T) => string | null): void {
    // Joined at once: adding text by text makes a rope that has to be copied once more.
    const texts = new Array<string>(items.length + 1);
    for (let n = 0; n < items.length; n++) {
      const text = of(items[n]!);
      if (text === NULL) this.#unstorable = column;
      texts[n] = text ?? NULL;
    }
    texts[items.length] = '';
    const out = texts.join(END);
    if (count(out, END) !== items.length) this.#unstorable = column;
    this.#values.push(out);
  }

  end(): Encoded {
    if (this.#unstorable !== null) return { is: 'unstorable', column: this.#unstorable };
    return { is: 'encoded', values: this.#values };
  }
}

function count(text: string, character: string): number {
  let found = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + 1)) found++;
  return found;
}

const split = (parameter: number) => `string_to_array($${parameter}, E'\\x1e', E'\\x1f')`;

export const COMMIT = {
  name: 'baton-commit',
  text: `
with fence as materialized (
  select q.partition
  from partitions q join unnest($2::smallint[], $3::bigint[]) o(partition, epoch) on q.partition = o.partition
  where q.owner = $1 and q.epoch = o.epoch
  order by q.partition
  for share of q
), a as (
  insert into actors (partition, id, company_id, kind, ordinal, state, substate, assignee, priority, pool, holds, rank,
    due_at, version, machine_version, snapshot, head, updated_at)
  select r.partition, r.id, r.company_id, r.kind, r.ordinal, r.state, r.substate, r.assignee, r.priority, r.pool,
    r.holds = 1, r.rank, r.due_at, r.version, r.machine_version, r.snapshot::json, r.head::json, r.updated_at
  from unnest($4::smallint[], ${split(5)}, ${split(6)}, ${split(7)}, $8::int[], ${split(9)}, ${split(10)}, ${split(11)},
      $12::smallint[], ${split(13)}, $14::smallint[], $15::bigint[], $16::bigint[], $17::int[], $18::int[],
      ${split(19)}, ${split(20)}, $21::bigint[])
    r(partition, id, company_id, kind, ordinal, state, substate, assignee, priority, pool, holds, rank, due_at, version,
      machine_version, snapshot, head, updated_at)
  where (r.partition in (select partition from fence)) is true
  on conflict (partition, id) do update set
    state = excluded.state, substate = excluded.substate, assignee = excluded.assignee, priority = excluded.priority,
    pool = excluded.pool, holds = excluded.holds, rank = excluded.rank, due_at = excluded.due_at,
    version = excluded.version, machine_version = excluded.machine_version, snapshot = excluded.snapshot,
    head = coalesce(excluded.head, actors.head), updated_at = excluded.updated_at
  where actors.version < excluded.version
), j as (
  insert into journal (partition, company_id, seq, actor_id, version, epoch, at, entry)
  select r.partition, r.company_id, r.seq, r.actor_id, r.version, r.epoch, r.at, r.entry::json
  from unnest($22::smallint[], ${split(23)}, $24::bigint[], ${split(25)}, $26::int[], $27::bigint[], $28::bigint[], ${split(29)})
    r(partition, company_id, seq, actor_id, version, epoch, at, entry)
  where (r.partition in (select partition from fence)) is true
  on conflict (partition, company_id, seq) do nothing
), e as (
  insert into records (partition, company_id, actor_id, kind, id, at, record)
  select r.partition, r.company_id, r.actor_id, r.kind, r.id, r.at, r.record::json
  from unnest($30::smallint[], ${split(31)}, ${split(32)}, ${split(33)}, ${split(34)}, $35::bigint[], ${split(36)})
    r(partition, company_id, actor_id, kind, id, at, record)
  where (r.partition in (select partition from fence)) is true
  on conflict (partition, actor_id, kind, id) do nothing
)
select coalesce(array_agg(partition), '{}') as proved from fence`,
} as const;
