/** P4: a due retry fires once, never early by the database's clock, and soon; at rest nothing due is left. */
import { type Evidence, isIssue, issueOf, placeOf } from './evidence.ts';

/** How late a timer may fire when nothing disturbs, ms: a batch in flight, a timeout that is late. */
const SOON_MS = 1500;

export function due(evidence: Evidence): string[] {
  const { steps, rows, quarantined, entries, settledFrom, end, rested } = evidence;
  const found: string[] = [...evidence.overdue];
  for (const seen of entries) {
    const { at } = seen.json.stamp;
    if (at > Math.floor(seen.appliedAt)) {
      found.push(`${placeOf(seen)} is stamped ${at}, the database says ${Math.floor(seen.appliedAt)}`);
    }
  }
  const fired = new Set<string>();
  for (const step of steps.filter(isIssue)) {
    const { seen, before, after } = step;
    if (seen.json.type === 'RETRY.DUE' && before) {
      const { run } = issueOf(before);
      const dueAt = run?.retry?.due ?? 0;
      if (seen.appliedAt < dueAt || seen.json.stamp.at < dueAt) {
        found.push(`${placeOf(seen)} fired at ${seen.json.stamp.at}, ${dueAt - seen.json.stamp.at} ms early`);
      }
      const id = `${seen.row.actorId}.${run?.n}`;
      if (fired.has(id) && after.state.value !== before.state.value)
        found.push(`${placeOf(seen)} fired again`);
      fired.add(id);
      if (dueAt > settledFrom && seen.appliedAt > dueAt + SOON_MS) {
        found.push(
          `${placeOf(seen)} fired ${Math.round(seen.appliedAt - dueAt)} ms late though all was calm`,
        );
      }
    }
  }
  if (!rested) return found;
  for (const row of rows) {
    if (quarantined.has(row.id) || row.dueAt === null || row.dueAt > end - SOON_MS) continue;
    found.push(`${row.id} was due ${Math.round(end - row.dueAt)} ms before the end and nothing fired`);
  }
  return found;
}
