/** P6: no lock outlives its run, every executing run has its lease, every wait has a named next event. */
import { dotted } from '../../../src/machines/step.ts';
import { type Evidence, isIssue, issueOf, placeOf } from './evidence.ts';

export function lock({ steps, rows, kinds, quarantined, putAside, unarmed, rested }: Evidence): string[] {
  const found: string[] = [...unarmed];
  for (const step of steps.filter(isIssue)) {
    const { seen, before, after } = step;
    const leaf = dotted(after.state.value);
    const { run, detached } = issueOf(after);
    const holds = leaf.startsWith('running') || leaf === 'scheduled-retry';
    if (holds !== (run !== null)) found.push(`${placeOf(seen)}: ${leaf} with ${run ? 'a' : 'no'} lock`);
    if ((leaf === 'running.executing') !== (run?.start !== undefined)) {
      found.push(
        `${placeOf(seen)}: ${leaf} with a run that has ${run?.start === undefined ? 'not ' : ''}started`,
      );
    }
    if (detached && (leaf === 'running.executing' || leaf === 'running.queued')) {
      found.push(`${placeOf(seen)}: ${leaf} with a detached run`);
    }
    const old = before && issueOf(before).run;
    if (old && old.n !== run?.n) {
      const released = seen.json.effects.some(
        ({ type, data }) => type === 'lock.released' && data.runId === `${seen.row.actorId}.${old.n}`,
      );
      if (!released) found.push(`${placeOf(seen)}: run ${old.n} is gone and its lock was not released`);
    }
    const grace = after.timers.filter((timer) => timer.event.type === 'STOPPED').length;
    if (grace !== (detached?.until === undefined ? 0 : 1)) {
      found.push(`${placeOf(seen)}: ${grace} timers for a detached run ${JSON.stringify(detached)}`);
    }
  }
  if (!rested) return found;
  const last = new Map(steps.map((step) => [step.seen.row.actorId, step]));
  const stuckPools = new Set<string>();
  for (const row of rows) if (quarantined.has(row.id) && row.pool !== null) stuckPools.add(row.pool);
  for (const row of rows) {
    if (row.kind !== 'issue' || quarantined.has(row.id)) continue;
    const step = last.get(row.id);
    const leaf = row.substate === null ? row.state : `${row.state}.${row.substate}`;
    const agent = row.assignee === null ? undefined : last.get(row.assignee);
    const closed = agent ? agent.kind.capacity?.(agent.after.state)?.closed : null;
    const waits = leaf.startsWith('running') || leaf === 'scheduled-retry';
    const paused = leaf === 'running.queued' && (closed === 'paused' || stuckPools.has(row.assignee ?? ''));
    // Put aside when its agent was terminated, it has not heard of that; a person gives it to another (`agent_terminated`).
    const unheard = leaf === 'running.queued' && closed === 'terminated' && putAside.has(row.id);
    if (waits && !paused && !unheard) {
      found.push(
        `${row.id} is ${leaf} though all had time to come to rest; its agent ${row.assignee} is ${closed ?? 'open'}`,
      );
    }
    if (step && isIssue(step) && issueOf(step.after).detached)
      found.push(`${row.id} still has a detached run`);
  }
  void kinds;
  return found;
}
