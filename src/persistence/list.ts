/** A list query as one statement: the company's last seq and the rows as of it, so that a subscription joins there. */
import { partitionOf } from '../ids.ts';
import type { ActorRow, ListQuery } from './store.ts';

/** An actor's columns, named as in `ActorRow`; `a` is its table. */
export const ACTOR = `a.partition, a.id, a.company_id as "companyId", a.kind, a.ordinal, a.state, a.substate,
  a.assignee, a.priority, a.pool, a.holds, a.rank, a.due_at as "dueAt", a.version,
  a.machine_version as "machineVersion", a.snapshot, a.head, a.updated_at as "updatedAt"`;

/** The last seq of the company ($1 partition, $2 id), 0 before the first: one look at the end of the primary key. */
export const LAST_SEQ = `coalesce((select seq from journal where partition = $1 and company_id = $2
  order by seq desc limit 1), 0)`;

/**
 * True when the operators of PostgreSQL can read the JSON text: they throw at an escaped NUL or lone surrogate, and one
 * such row – the gateway lets none in – would fail every list it is in. It matches nothing instead.
 */
export const readable = (column: string): string => `${column}::text !~ '\\\\u(0000|[dD][89a-fA-F])'`;

export interface Statement {
  readonly text: string;
  /** In the order of the text's parameters. */
  readonly values: unknown[];
}

/** What a query asks for, as conditions on `a`. Pure. */
function conditions(query: ListQuery): { where: string; values: unknown[] } {
  const values: unknown[] = [partitionOf(query.companyId), query.companyId, query.kind, query.limit];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const where = ['a.partition = $1', 'a.company_id = $2', 'a.kind = $3'];
  const { states, substates, assignee, priorities, atLeast, contains, about, ordinal, after } = query;
  if (after !== undefined) where.push(`a.ordinal > ${bind(after)}`);
  if (ordinal !== undefined) where.push(`a.ordinal = ${bind(ordinal)}`);
  if (states !== undefined || substates !== undefined) {
    const within =
      substates === undefined ? '' : ` or a.state || '.' || a.substate = any (${bind(substates)}::text[])`;
    where.push(`(a.state = any (${bind(states ?? [])}::text[])${within})`);
  }
  if (assignee !== undefined) where.push(`a.assignee = ${bind(assignee)}`);
  if (priorities !== undefined) where.push(`a.priority = any (${bind(priorities)}::int[])`);
  if (about !== undefined) {
    const id = bind(about.id);
    where.push(`(a.pool = ${id} or (a.assignee = ${id} and a.state = any (${bind(about.states)}::text[])))`);
  }
  if (atLeast !== undefined) {
    const path = `${bind(atLeast.path)}::text[]`;
    where.push(`case when not ${readable('a.snapshot')} then false
      when json_typeof(a.snapshot #> ${path}) = 'number' then (a.snapshot #>> ${path})::float8 >= ${bind(atLeast.value)}::float8 else false end`);
  }
  if (contains !== undefined) {
    const text = bind(contains.text);
    const found = contains.keys.map((key) => {
      const name = bind(key);
      return `(case when not ${readable('a.head')} then false
        when json_typeof(a.head -> ${name}::text) = 'string' then strpos(lower(a.head ->> ${name}::text), lower(${text}::text)) > 0 else false end)`;
    });
    where.push(found.length === 0 ? 'false' : `(${found.join(' or ')})`);
  }
  return { where: where.join('\n    and '), values };
}

/** Whole rows. */
export function listStatement(query: ListQuery): Statement {
  const { where, values } = conditions(query);
  return {
    text: `
with last as materialized (select ${LAST_SEQ} as seq)
select last.seq, r.* from last left join lateral (
  select ${ACTOR} from actors a
  where ${where}
  order by a.ordinal limit $4
) r on true
order by r.ordinal`,
    values,
  };
}

/** What the statement answered. */
export function listAnswer(rows: readonly (ActorRow & { seq: number })[]): { seq: number; rows: ActorRow[] } {
  const found = rows.filter((row) => row.id !== null).map(({ seq: _, ...row }) => row);
  return { seq: rows[0]!.seq, rows: found };
}

/** Three arrays and their length, put together by the database (`ListIndex`). */
export function indexStatement(query: ListQuery): Statement {
  const { where, values } = conditions(query);
  const array = (column: string) =>
    `coalesce(array_to_json(array_agg(${column} order by r.ordinal) filter (where r.id is not null)), '[]')::text`;
  return {
    text: `
with last as materialized (select ${LAST_SEQ} as seq)
select last.seq, count(r.id) as count, ${array('r.ordinal')} as ordinals, ${array('r.id')} as ids, ${array('r.due_at')} as dues
from last left join lateral (
  select a.ordinal, a.id, a.due_at from actors a
  where ${where}
  order by a.ordinal limit $4
) r on true
group by last.seq`,
    values,
  };
}
