/** P9: state equals history: the journal replayed gives the stored snapshot byte for byte. */
import { earliest, snapshotText, type Version } from '../../../src/supervisor/resident.ts';
import { type Evidence, placeOf } from './evidence.ts';

export function history({ steps, rows, unreplayable, entries }: Evidence): string[] {
  const found = unreplayable.map((text) => `cannot be replayed: ${text}`);
  const last = new Map<string, Version>();
  for (const { seen, after } of steps) {
    last.set(seen.row.actorId, after);
    const is = seen.json.to;
    const value = after.state.value;
    const name = typeof value === 'string' ? value : Object.entries(value as object)[0]!.join('.');
    if (is !== name) found.push(`${placeOf(seen)} says it led to ${is}, replayed it leads to ${name}`);
  }
  const kinds = new Map(steps.map((step) => [step.seen.row.actorId, step.kind]));
  for (const row of rows) {
    const version = last.get(row.id);
    const kind = kinds.get(row.id);
    if (!version || !kind) continue;
    const { state, substate, assignee, priority } = kind.columns(version.state);
    const slot = kind.slot(version.state);
    const pairs: [string, unknown, unknown][] = [
      ['version', row.version, version.version],
      ['snapshot', row.snapshot, snapshotText(version)],
      ['head', row.head, JSON.stringify(version.head)],
      ['state', row.state, state],
      ['substate', row.substate, substate],
      ['assignee', row.assignee, assignee],
      ['priority', row.priority, priority],
      ['pool', row.pool, slot?.pool ?? null],
      ['holds', row.holds, slot?.mode === 'holds'],
      ['rank', row.rank, slot?.rank ?? null],
      ['dueAt', row.dueAt, earliest(version.timers)],
      ['updatedAt', row.updatedAt, version.updatedAt],
    ];
    for (const [name, stored, replayed] of pairs) {
      if (stored !== replayed) found.push(`${row.id}: ${name} is ${stored}, replayed ${replayed}`);
    }
  }
  const journalled = new Set(entries.map((seen) => seen.row.actorId));
  for (const row of rows) if (!journalled.has(row.id)) found.push(`${row.id} is stored and has no history`);
  return found;
}
