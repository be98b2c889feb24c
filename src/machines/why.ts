/**
 * Why an issue is where it is, and what comes next: the answer to "nobody can see why an issue waits". One plain
 * sentence, and the event that will move it with its time where that is known.
 */
import { isoOf } from './iso.ts';
import { type IssueState, leafOf, runId } from './issue-context.ts';
import type { Persisted, Runtime } from './kind.ts';
import type { IssueView, LastError } from './view.ts';

type Why = IssueView['why'];

/** Of a run's error, at most so many characters are in the sentence; `lastError` has it whole. */
const ERROR_CHARS = 200;
/** What would break the sentence's line, repaint a terminal or turn the direction of writing; and runs of spaces. */
const NOT_OF_A_LINE = /[\p{Cc}\s\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

export function whyOf(s: Persisted<IssueState>, r: Runtime): Why {
  if (r.quarantined) {
    const { reason, at } = r.quarantined;
    return { code: 'quarantined', text: `Put aside since ${isoOf(at)}: ${reason}.` };
  }
  const c = s.context;
  switch (leafOf(s.value)) {
    case 'idle':
      return idle(c, r);
    case 'running.queued':
      return queued(c, r);
    case 'running.executing': {
      const lease = r.leaseUntil === null ? '' : `, its lease holds until ${isoOf(r.leaseUntil)}`;
      return { code: 'executing', text: `Agent ${c.assignee} is executing run ${current(c)}${lease}.` };
    }
    case 'running.stopping': {
      const old = c.detached
        ? `run ${runId(c.id, c.detached.n)} of agent ${c.detached.agent}`
        : 'the old run';
      const until = c.detached?.until === undefined ? '' : `, until ${isoOf(c.detached.until)} at the latest`;
      return { code: 'stopping', text: `Waits for ${old} to stop${until}; then run ${current(c)} is next.` };
    }
    case 'scheduled-retry':
      return backoff(c);
    case 'cancelled':
      return { code: 'cancelled', text: `Cancelled${parked(c)}.` };
    case 'done':
      return { code: 'done', text: `Done${parked(c)}.` };
  }
}

/** The event that moves the issue on without anybody asking, and when (epoch ms, null: not known). */
export function nextOf(s: Persisted<IssueState>, r: Runtime): { event: string | null; at: number | null } {
  if (r.quarantined) return { event: null, at: null };
  const c = s.context;
  switch (leafOf(s.value)) {
    case 'running.queued':
      return { event: 'GRANT', at: null };
    case 'running.executing':
      return { event: 'LEASE.EXPIRED', at: r.leaseUntil };
    case 'scheduled-retry':
      return { event: 'RETRY.DUE', at: c.run?.retry?.due ?? null };
    default:
      if (!c.detached) return { event: null, at: null };
      return c.detached.until === undefined
        ? { event: 'LEASE.EXPIRED', at: r.leaseUntil }
        : { event: 'STOPPED', at: c.detached.until };
  }
}

function idle(c: IssueState, r: Runtime): Why {
  if (c.assignee === null) {
    return c.fell === 'agent_terminated'
      ? { code: 'agent_terminated', text: 'Its agent was terminated; nobody is assigned.' }
      : { code: 'unassigned', text: `Nobody is assigned${parked(c)}.` };
  }
  if (r.pool?.closed === 'terminated') {
    return { code: 'agent_terminated', text: `Agent ${c.assignee} is terminated; assign somebody else.` };
  }
  if (c.fell === 'failed') {
    return { code: 'failed', text: ended('The last run failed and is not retried', c.error) };
  }
  if (c.fell === 'retry_exhausted') {
    return {
      code: 'retry_exhausted',
      text: ended(
        `${c.max === 1 ? 'Its one automatic retry is' : `All ${c.max} automatic retries are`} spent${parked(c)}`,
        c.error,
      ),
    };
  }
  if (c.wakes.length > 0) {
    return { code: 'parked', text: `Agent ${c.assignee} is not woken on demand${parked(c)}.` };
  }
  return { code: 'no_work', text: `Nothing is asked of agent ${c.assignee}.` };
}

function queued(c: IssueState, r: Runtime): Why {
  const { pool } = r;
  const run = `Run ${current(c)}`;
  const agent = `agent ${c.assignee}`;
  if (pool?.closed === 'paused') return { code: 'agent_paused', text: `${run} waits: ${agent} is paused.` };
  if (pool?.closed === 'terminated') {
    return { code: 'agent_terminated', text: `${run} cannot start: ${agent} is terminated.` };
  }
  const slots = pool ? ` (${pool.held} of ${pool.max} held, ${pool.wanting} waiting)` : '';
  // A slot is free and nobody takes it. One that was there a moment ago, or is busy with another run, may come back for it.
  if (pool?.open && pool.held < pool.max && !pool.asking) {
    const busy = pool.held > 0 ? slots : '';
    const heard = pool.seenAt === null ? '' : `; one was last heard of at ${isoOf(pool.seenAt)}`;
    return {
      code: pool.online ? 'waiting_for_slot' : 'agent_offline',
      text: `${run} waits: no worker of ${agent} is asking for work${busy}${heard}.`,
    };
  }
  return { code: 'waiting_for_slot', text: `${run} waits for a slot of ${agent}${slots}.` };
}

function backoff(c: IssueState): Why {
  const retry = c.run?.retry;
  const due = retry ? isoOf(retry.due) : 'its due time';
  const why = retry?.reason === 'process_lost' ? 'its worker was lost' : 'a transient failure';
  return {
    code: 'backoff',
    text: `Retry ${c.run?.attempt} of ${c.max} by agent ${c.assignee} at ${due}, after ${why}.`,
  };
}

/** `text: exit_1: npm test failed.` – what a worker wrote is cut to one line that does nothing but be read. */
function ended(text: string, error: LastError | null): string {
  const code = lineOf(error?.errorCode ?? '');
  const said = lineOf(error?.error ?? '');
  const parts = said === code || said.startsWith(`${code}:`) ? [said] : [code, said];
  const whole = [text, cut(parts.filter((part) => part !== '').join(': '))].filter((part) => part !== '');
  const sentence = whole.join(': ');
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

function lineOf(text: string): string {
  return text.replace(NOT_OF_A_LINE, ' ').trim();
}

/** Between characters, never within one. */
function cut(text: string): string {
  if (text.length <= ERROR_CHARS) return text;
  return `${text.slice(0, ERROR_CHARS).replace(/[\ud800-\udbff]$/, '')}…`;
}

function parked(c: IssueState): string {
  const n = c.wakes.length;
  return n === 0 ? '' : `; ${n === 1 ? 'a wake waits' : `${n} wakes wait`}`;
}

function current(c: IssueState): string {
  return c.run ? runId(c.id, c.run.n) : '';
}
