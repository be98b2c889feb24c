/** P5: the old retry of a reassigned, cancelled or finished issue never runs; its lock is gone in the same version. */
import { type Evidence, isIssue, issueOf, placeOf } from './evidence.ts';

export function cancelled({ steps }: Evidence): string[] {
  const found: string[] = [];
  const over = new Set<string>();
  for (const step of steps.filter(isIssue)) {
    const { seen, before, after } = step;
    const effects = new Map(seen.json.effects.map(({ type, data }) => [`${type} ${data.runId}`, data]));
    for (const name of effects.keys()) {
      const [type, runId] = name.split(' ') as [string, string];
      if (['retry.due', 'run.queued', 'run.started', 'retry.scheduled'].includes(type) && over.has(runId)) {
        found.push(`${placeOf(seen)}: ${type} of run ${runId}, which is over`);
      }
    }
    for (const name of effects.keys()) {
      const [type, runId] = name.split(' ') as [string, string];
      if (
        type === 'run.cancelled' ||
        type === 'run.failed' ||
        type === 'run.succeeded' ||
        type === 'run.lost'
      ) {
        over.add(runId);
      }
      if (type === 'retry.cancelled' && !effects.has(`lock.released ${runId}`)) {
        found.push(`${placeOf(seen)}: retry ${runId} is cancelled and keeps its lock`);
      }
    }
    const waits = after.state.value === 'scheduled-retry';
    const waited = before?.state.value === 'scheduled-retry';
    const event = seen.json.event as { type: string; agentId?: string | null };
    const ends = event.type === 'CANCEL' || event.type === 'COMPLETE' || event.type === 'ASSIGN';
    if (waited && ends) {
      if (waits) found.push(`${placeOf(seen)} leaves the retry waiting`);
      const old = issueOf(before).run;
      const { run } = issueOf(after);
      if (run && old && run.n === old.n) found.push(`${placeOf(seen)}: the old retry's run goes on`);
      if (!effects.has(`retry.cancelled ${seen.row.actorId}.${old?.n}`)) {
        found.push(`${placeOf(seen)}: the retry ends without a word`);
      }
    }
    const armed = after.timers.some((timer) => timer.event.type.includes('retryDelay'));
    if (armed !== waits) {
      found.push(
        `${placeOf(seen)}: the retry's timer is ${armed ? 'set' : 'not set'} in ${JSON.stringify(after.state.value)}`,
      );
    }
  }
  return found;
}
