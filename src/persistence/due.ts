/** Timers to come, earliest first: one range of the index `actors_due`, whatever the number of partitions. */
import type pg from 'pg';
import { PARTITIONS } from '../ids.ts';

/** The sub-select is hashed once; `= any` of thousands would be compared one by one. */
const OWN = 'and (partition in (select unnest($5::smallint[]))) is true';

const text = (filter: string) => `
select id, due_at as "dueAt", version from actors
where due_at < $1 and (due_at, id) > ($2, $3) ${filter}
order by due_at, id limit $4`;

const ALL = { name: 'baton-due-all', text: text('') };
const SOME = { name: 'baton-due-some', text: text(OWN) };

export interface Due {
  readonly id: string;
  readonly dueAt: number;
  readonly version: number;
}

export async function due(
  pool: pg.Pool,
  partitions: ReadonlySet<number>,
  before: number,
  limit: number,
  after?: { dueAt: number; id: string },
): Promise<Due[]> {
  const values = [before, after?.dueAt ?? Number.MIN_SAFE_INTEGER, after?.id ?? '', limit];
  const answer = await pool.query<Due>(
    partitions.size === PARTITIONS ? { ...ALL, values } : { ...SOME, values: [...values, [...partitions]] },
  );
  return answer.rows;
}
