/** What waits longer than it should, by reason, with what to do about each. */
import { useComputed } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { isUnreadable } from '../../../src/client/put-aside.ts';
import type { WhyCode } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';
import { tick } from '../clock.ts';
import { count, counted, duration } from '../duration.ts';
import { addressOf } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { Icon } from '../ui/icon.tsx';
import { State, shownOf } from '../ui/state.tsx';
import { phase, type StuckIssue, stuck, wantStuck } from './stuck-watch.ts';

/** In the order in which they should be looked at. */
const REASONS: readonly { code: WhyCode; title: string; todo: string }[] = [
  {
    code: 'quarantined',
    title: 'Quarantined',
    todo: 'Their machine threw; their state is untouched. Read the server’s log, mend the cause, restart.',
  },
  {
    code: 'backoff',
    title: 'Retry overdue',
    todo: 'The due time has passed and nothing happened: look at the server’s health, then retry now.',
  },
  {
    code: 'stopping',
    title: 'Old run does not stop',
    todo: 'Its worker neither answers nor is given up in time: look at the worker, or force the release.',
  },
  {
    code: 'retry_exhausted',
    title: 'Retries spent',
    todo: 'All automatic attempts failed. Mend the cause, then wake or reassign.',
  },
  {
    code: 'failed',
    title: 'Failed',
    todo: 'Not a failure that is retried. Mend the cause, then wake or reassign.',
  },
  {
    code: 'agent_terminated',
    title: 'Agent terminated',
    todo: 'Nobody will take these up: assign somebody else.',
  },
  {
    code: 'agent_offline',
    title: 'No worker',
    todo: 'A slot is free, but no worker asks for work: start one.',
  },
  { code: 'agent_paused', title: 'Agent paused', todo: 'Resume the agent, or assign somebody else.' },
  { code: 'waiting_for_slot', title: 'No slot', todo: 'More slots, more agents, or a higher priority.' },
  {
    code: 'parked',
    title: 'Not woken on demand',
    todo: 'Wakes wait for an agent that is not woken by them.',
  },
  { code: 'unassigned', title: 'Asked for, but nobody is assigned', todo: 'Assign somebody.' },
];
/** Rows of one reason; the rest is counted. */
const SHOWN_ROWS = 100;

export function StuckPage(_props: PageProps) {
  useEffect(wantStuck, []);
  const { value: now } = phase;
  const groups = REASONS.map((reason) => ({
    ...reason,
    issues: stuck.value.filter((one) => one.reason === reason.code),
  })).filter(({ issues }) => issues.length > 0);
  return (
    <div class="page">
      <div class="page-head">
        <h1>Stuck</h1>
        <p class="quiet">Everything that waits longer than it should, and what to do about it.</p>
      </div>
      {now.is === 'failed' && (
        <p class="empty" role="alert">
          It could not be read: {now.why}
        </p>
      )}
      {now.is === 'reading' && (
        <p class="empty" role="status">
          Looking at what waits{now.of > 0 ? `: ${count(now.read)} of ${count(now.of)}` : ''}…
        </p>
      )}
      {now.is === 'ready' && groups.length === 0 && (
        <div class="empty">
          <Icon name="done" size={28} />
          <p>Nothing is stuck.</p>
        </div>
      )}
      {groups.map((group) => (
        <details key={group.code} class="card stuck-group" open>
          <summary>
            <Icon name="alert" />
            <h2>{group.title}</h2>
            <span class="badge">{count(group.issues.length)}</span>
            <span class="quiet">{group.todo}</span>
          </summary>
          <ul>
            {group.issues.slice(0, SHOWN_ROWS).map((one) => (
              <Row key={one.issue.id} {...one} />
            ))}
          </ul>
          {group.issues.length > SHOWN_ROWS && (
            <p class="quiet more">and {counted(group.issues.length - SHOWN_ROWS, 'issue')} more</p>
          )}
        </details>
      ))}
    </div>
  );
}

function Row({ issue, since }: StuckIssue) {
  const waits = useComputed(() => duration(tick.value - since));
  const { identifier, title, assigneeAgentId, lastError } = issue;
  return (
    <li>
      <a class="identifier" href={addressOf(`/issues/${identifier}`)}>
        {identifier}
      </a>
      <span class="text" title={title}>
        {title}
      </span>
      <State of={shownOf(issue)} />
      <span class="text quiet">{agentName(assigneeAgentId)}</span>
      <span class="text quiet" title={lastError?.error ?? ''}>
        {lastError === null ? '' : (lastError.errorCode ?? lastError.error)}
      </span>
      <span class="n since">{!isUnreadable(issue) && waits}</span>
    </li>
  );
}
