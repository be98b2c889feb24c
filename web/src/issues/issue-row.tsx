/** One issue of the list. It is drawn again when it changes; of what counts down only the text is. */
import { useComputed } from '@preact/signals';
import { isUnreadable } from '../../../src/client/put-aside.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';
import { tick } from '../clock.ts';
import { age, duration } from '../duration.ts';
import { sentence } from '../issue/named.ts';
import { addressOf, go } from '../location.ts';
import { inLocalTime } from '../moments.ts';
import { State, shownOf } from '../ui/state.tsx';
import { pending, WORDS } from './asked.ts';
import type { IssueList } from './issue-list.ts';
import { choose, chosen, cursor } from './selection.ts';

interface RowProps {
  list: IssueList;
  number: number;
  prefix: string;
  /** Its place in the list, from 0, and where it is drawn, px. */
  at: number;
  top: number;
}

export function IssueRow({ list, number, prefix, at, top }: RowProps) {
  const { value: issue } = list.row(number);
  const isChosen = useComputed(() => chosen.value.has(number)).value;
  const isCursor = useComputed(() => cursor.value === number).value;
  const asked = useComputed(() => {
    const id = list.row(number).value?.id;
    return id === undefined ? undefined : pending.value.get(id);
  }).value;
  const identifier = `${prefix}-${number}`;
  return (
    <div
      role="row"
      id={`row-${number}`}
      class={`issue-row ${isCursor ? 'is-cursor' : ''} ${asked === undefined ? '' : 'is-pending'}`}
      aria-rowindex={at + 2}
      aria-selected={isChosen}
      style={{ transform: `translateY(${top}px)` }}
      onMouseDown={() => {
        cursor.value = number;
      }}
      onDblClick={({ target }) => {
        // Whoever ticks twice in a row means the box.
        if (target instanceof Element && target.closest('.c-choose') === null)
          go(addressOf(`/issues/${identifier}`));
      }}
    >
      <span role="gridcell" class="c-choose">
        <label>
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={`Choose ${identifier}`}
            checked={isChosen}
            onChange={(event) => choose(number, event.currentTarget.checked)}
          />
        </label>
      </span>
      <span role="gridcell" class="c-identifier">
        <a tabIndex={-1} href={addressOf(`/issues/${identifier}`)}>
          {identifier}
        </a>
      </span>
      {issue === null ? (
        <span role="gridcell" class="c-title is-loading">
          <span class="visually-hidden">Loading</span>
        </span>
      ) : (
        <Cells issue={issue} asked={asked} />
      )}
    </div>
  );
}

function Cells({ issue, asked }: { issue: IssueView; asked: keyof typeof WORDS | undefined }) {
  const { title, priority, assigneeAgentId, attempt, maxAttempts, lock } = issue;
  const reason = reasonOf(issue);
  return (
    <>
      <span role="gridcell" class={`c-title ${reason === '' ? 'is-wide' : ''}`} title={title}>
        {priority !== 'medium' && <span class={`priority priority-${priority}`}>{priority}</span>}
        <span class="text">{title}</span>
      </span>
      <span role="gridcell" class="c-why" title={inLocalTime(sentence(issue), tick.peek())}>
        {reason}
      </span>
      <span role="gridcell" class="c-state">
        {asked === undefined ? (
          <>
            <State of={shownOf(issue)} />
            <Lasting issue={issue} />
          </>
        ) : (
          <span class="waiting">{WORDS[asked].doing}…</span>
        )}
      </span>
      <span role="gridcell" class="c-agent">
        <span class="text">
          {assigneeAgentId === null ? <span class="quiet">nobody</span> : agentName(assigneeAgentId)}
        </span>
        {lock?.mode === 'executing' && (
          <span class="fence" title={`Fence ${lock.fence}: only its holder may write`}>
            f{lock.fence}
          </span>
        )}
      </span>
      <span role="gridcell" class="c-attempt" title={`${attempt} of ${maxAttempts} automatic retries spent`}>
        {attempt > 0 && `${attempt}/${maxAttempts}`}
      </span>
      <span role="gridcell" class="c-next">
        <Next issue={issue} />
      </span>
    </>
  );
}

/** How long a run waits or is executed already, by the server's clock. */
function Lasting({ issue }: { issue: IssueView }) {
  const { run, substate, lock } = issue;
  if (isUnreadable(issue)) return null;
  if (substate === 'executing' && run?.startedAt != null) return <Since at={run.startedAt} />;
  if (substate === 'queued' && lock !== null) return <Since at={lock.lockedAt} />;
  return null;
}

/** When what comes next by itself comes. Of a run in hand nothing does: its lease is renewed by every heartbeat. */
function Next({ issue }: { issue: IssueView }) {
  const { retry, substate, nextAt, updatedAt } = issue;
  if (isUnreadable(issue)) return null;
  if (retry !== null) return <Countdown from={updatedAt} to={retry.dueAt} />;
  if (substate === 'stopping' && nextAt !== null) return <Countdown from={updatedAt} to={nextAt} />;
  return null;
}

function Countdown({ from, to }: { from: number; to: number }) {
  const text = useComputed(() => (tick.value >= to ? 'due' : duration(to - tick.value)));
  // In whole percents, so that the bar is drawn a hundred times at most.
  const share = useComputed(() =>
    Math.round(Math.min(1, Math.max(0, (tick.value - from) / (to - from || 1))) * 100),
  );
  return (
    <span class="countdown">
      <span class="n">{text}</span>
      <span class="progress" aria-hidden="true" style={{ '--share': share.value / 100 }} />
    </span>
  );
}

function Since({ at }: { at: number }) {
  const { value: text } = useComputed(() => age(tick.value - at));
  return <span class="since">{text === 'now' ? 'just now' : `for ${text}`}</span>;
}

/** The reason in a word or two; the sentence is the cell's title. */
function reasonOf({ why, lastError }: IssueView): string {
  const error = lastError === null ? '' : (lastError.errorCode ?? lastError.error);
  switch (why.code) {
    case 'backoff':
    case 'failed':
      return error === '' ? why.code : error;
    case 'retry_exhausted':
      return `retries spent${error === '' ? '' : `: ${error}`}`;
    case 'waiting_for_slot':
      return 'no slot';
    case 'agent_paused':
      return 'agent paused';
    case 'agent_offline':
      return 'agent offline';
    case 'agent_terminated':
      return 'agent terminated';
    case 'stopping':
      return 'old run is stopping';
    case 'parked':
      return 'not woken on demand';
    case 'unassigned':
      return 'unassigned';
    case 'quarantined':
      return 'quarantined';
    // A worker's note comes with its heartbeats, which no change brings: it would be an old one here.
    case 'executing':
    case 'no_work':
    case 'done':
    case 'cancelled':
      return '';
  }
}
