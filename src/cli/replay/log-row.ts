/**
 * One row of a service-desk event log. Two spellings are known: the columns named below with ISO times, and the
 * original of the UCI "Incident management process enriched event log" (36 columns in another order, `29/2/2016 01:16`).
 */
import type { PriorityName } from '../../machines/view.ts';
import { bad, type CsvRecord } from './csv.ts';

/** What a row's state means here; `same`: unknown (`-100`), so whatever the row before meant. */
export type Phase = 'new' | 'active' | 'awaiting' | 'closed' | 'same';

export interface LogRow {
  readonly line: number;
  readonly number: string;
  /** As written: `Awaiting User Info`. */
  readonly state: string;
  readonly phase: Phase;
  /** Null: nobody (`?`). */
  readonly assignee: string | null;
  readonly group: string | null;
  readonly priority: PriorityName;
  /** `sys_updated_at`, epoch ms. */
  readonly at: number;
  readonly modCount: number;
}

const NEEDED = [
  'number',
  'incident_state',
  'assigned_to',
  'assignment_group',
  'priority',
  'sys_mod_count',
  'sys_updated_at',
] as const;
type Name = (typeof NEEDED)[number];
/** Column name → its place. */
export type Header = Readonly<Record<Name, number>> & { readonly width: number };

const PHASES: Readonly<Record<string, Phase>> = {
  New: 'new',
  Active: 'active',
  Resolved: 'closed',
  Closed: 'closed',
  '-100': 'same',
};
const PRIORITIES: Readonly<Record<string, PriorityName>> = {
  1: 'critical',
  2: 'high',
  3: 'medium',
  4: 'low',
};

/** @throws BatonError VALIDATION naming the columns that are missing */
export function readHeader({ line, fields }: CsvRecord): Header {
  const names = fields.map((f) => f.trim());
  const missing = NEEDED.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw bad(
      line,
      `the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')} cannot be found`,
      `the first line must name the columns, at least ${NEEDED.join(', ')}`,
    );
  }
  const places = Object.fromEntries(NEEDED.map((name) => [name, names.indexOf(name)])) as Record<
    Name,
    number
  >;
  return { ...places, width: names.length };
}

/** @throws BatonError VALIDATION naming the line, the column, its value and what it must be */
export function readRow(header: Header, record: CsvRecord): LogRow {
  const { line, fields } = record;
  if (fields.length !== header.width) {
    throw bad(
      line,
      `it has ${fields.length} columns and the header ${header.width}`,
      'put fields with commas in quotes, and let the file end with a whole line',
    );
  }
  const of = (name: Name) => (fields[header[name]] ?? '').trim();
  const number = of('number');
  if (number === '') throw bad(line, 'number is empty', 'every row must name its incident');
  const state = of('incident_state');
  const phase = PHASES[state] ?? (state.startsWith('Awaiting') ? 'awaiting' : undefined);
  if (phase === undefined) {
    throw bad(
      line,
      `incident_state is ${JSON.stringify(state)}`,
      `it must be ${Object.keys(PHASES).join(', ')} or begin with Awaiting`,
    );
  }
  const priority = PRIORITIES[of('priority')[0] ?? ''];
  if (priority === undefined) {
    throw bad(
      line,
      `priority is ${JSON.stringify(of('priority'))}`,
      'it must begin with 1, 2, 3 or 4, as in "3 - Moderate"',
    );
  }
  const modCount = Number(of('sys_mod_count'));
  if (!Number.isInteger(modCount)) {
    throw bad(line, `sys_mod_count is ${JSON.stringify(of('sys_mod_count'))}`, 'it must be a whole number');
  }
  const at = readTime(of('sys_updated_at'));
  if (at === null) {
    throw bad(
      line,
      `sys_updated_at is ${JSON.stringify(of('sys_updated_at'))}`,
      'write it as 2016-02-29T01:16:00Z or 29/2/2016 01:16',
    );
  }
  return {
    line,
    number,
    state,
    phase,
    assignee: known(of('assigned_to')),
    group: known(of('assignment_group')),
    priority,
    at,
    modCount,
  };
}

/** `?` and nothing are how the log says "not known". */
function known(text: string): string | null {
  return text === '' || text === '?' ? null : text;
}

const DAY_FIRST = /^(\d{1,2})\/(\d{1,2})\/(\d{4})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?$/;
const ISO = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}/;

function readTime(text: string): number | null {
  const parts = DAY_FIRST.exec(text);
  if (parts === null) {
    const at = ISO.test(text)
      ? Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text.replace(' ', 'T')}Z`)
      : Number.NaN;
    return Number.isNaN(at) ? null : at;
  }
  const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] = parts
    .slice(1)
    .map((p) => Number(p ?? 0));
  const at = Date.UTC(year, month - 1, day, hour, minute, second);
  const isReal =
    new Date(at).getUTCDate() === day && new Date(at).getUTCMonth() === month - 1 && hour < 24 && minute < 60;
  return isReal ? at : null;
}
