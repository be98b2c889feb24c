/** Every accepted wake ends once, delivered to one run or dropped with a reason, or still waits. */
import { type Evidence, isIssue, issueOf, placeOf } from './evidence.ts';

export function wakes({ steps }: Evidence): string[] {
  const found: string[] = [];
  const waiting = new Map<string, Set<string>>();
  for (const step of steps.filter(isIssue)) {
    const { seen, after } = step;
    const { actorId } = seen.row;
    const mine = waiting.get(actorId) ?? new Set();
    waiting.set(actorId, mine);
    // A row lists what ends before what begins; a wake may be accepted and delivered in one.
    const ended: [string, string, unknown][] = [];
    const asks =
      seen.json.event.type === 'WAKE' ||
      (seen.json.event.type === 'COMMENT' && seen.json.actor.kind === 'operator');
    const open = !['done', 'cancelled'].includes(seen.json.from ?? '');
    if (asks && open && !seen.json.effects.some(({ type }) => type.startsWith('wake.'))) {
      found.push(`${placeOf(seen)}: its wake came to nothing`);
    }
    for (const { type, data } of seen.json.effects) {
      const id = String(data.wakeId);
      if (type === 'wake.accepted') {
        if (mine.has(id)) found.push(`${placeOf(seen)}: wake ${id} is accepted twice`);
        mine.add(id);
      } else if (type === 'wake.delivered' || type === 'wake.dropped') {
        ended.push([type, id, data.cause]);
      }
    }
    for (const [type, id, cause] of ended) {
      const never = type === 'wake.dropped' && cause === 'issue_closed';
      if (!mine.delete(id) && !never) found.push(`${placeOf(seen)}: ${type} of ${id}, which does not wait`);
      if (type === 'wake.dropped' && typeof cause !== 'string')
        found.push(`${placeOf(seen)}: ${id} is dropped without a reason`);
    }
    const { wakes: kept, run } = issueOf(after);
    const stored = kept.map((wake) => `${actorId}.w${wake.n}`);
    if (run?.wake !== undefined) stored.push(`${actorId}.w${run.wake}`);
    const lost = [...mine].filter((id) => !stored.includes(id));
    const made = stored.filter((id) => !mine.has(id));
    if (lost.length > 0)
      found.push(`${placeOf(seen)}: ${lost.join(', ')} neither waits nor was it delivered`);
    if (made.length > 0) found.push(`${placeOf(seen)}: ${made.join(', ')} waits and was never accepted`);
  }
  return found;
}
