/**
 * The table "events × states" of domain.md section 2, cell by cell: what is answered, where it leads, what the journal
 * row says in which order. `tableSuite` makes one test of each cell; it runs against XState's development build and
 * against its production build (issue-table.production.test.ts).
 */
import { describe, expect, it } from 'vitest';
import { agentEvents, issueEvents } from '../../src/machines/events.ts';
import type { Actor } from '../../src/machines/kind.ts';
import {
  A,
  agent,
  COLUMNS,
  type Column,
  D,
  kind,
  OPERATOR,
  PAUSED,
  RETRY_DUE,
  type Story,
  SYSTEM,
  storyIn,
  TERMINATED,
  UNKNOWN,
} from './story.ts';

type Ev = { type: string } & Record<string, unknown>;

interface Cell {
  /** The verdict, or the code of a refusal. */
  answer: 'apply' | 'unchanged' | 'renew' | 'ignored' | 'FENCED' | 'NOT_ALLOWED' | 'NOT_FOUND';
  /** Where it leads; the same state when absent. */
  to?: Column;
  effects?: string[];
  timers?: ('arm' | 'disarm')[];
  also?: (story: Story) => void;
}
interface Row {
  name: string;
  event: (story: Story) => Ev;
  by?: Actor | ((story: Story) => Actor);
  cells: Record<Column, Cell>;
}

const unchanged: Cell = { answer: 'unchanged' };
const stale: Cell = { answer: 'ignored' };
const fenced: Cell = { answer: 'FENCED' };
const notAllowed: Cell = { answer: 'NOT_ALLOWED' };
const stays = (...effects: string[]): Cell => ({ answer: 'apply', effects });
const leads = (to: Column, ...effects: string[]): Cell => ({ answer: 'apply', to, effects });
const arms = (cell: Cell, ...timers: ('arm' | 'disarm')[]): Cell => ({ ...cell, timers });
const everywhere = (cell: Cell): Record<Column, Cell> =>
  Object.fromEntries(COLUMNS.map((column) => [column, cell])) as Record<Column, Cell>;

const CANCELLED = ['run.cancelled', 'lock.released'];
const RETRY_CANCELLED = ['retry.cancelled', 'run.cancelled', 'lock.released', 'wake.dropped'];
const DETACHED = ['run.cancelled', 'lock.released', 'stop.sent'];
const PROMOTED = ['retry.moved', 'retry.due'];

const ofRun = (story: Story) => ({ runId: story.runId(), fence: story.c.fence });
const theWorker = (story: Story): Actor => agent(story.c.assignee ?? A);

export const TABLE: Row[] = [
  {
    name: 'WAKE of a machine',
    event: () => ({ type: 'WAKE', reason: 'poke', source: 'automation' }),
    cells: {
      idle: leads('running.queued', 'wake.accepted', 'run.queued'),
      'running.queued': stays('wake.accepted', 'wake.coalesced'),
      'running.executing': stays('wake.accepted'),
      'running.stopping': stays('wake.accepted', 'wake.coalesced'),
      'scheduled-retry': stays('wake.accepted', 'wake.coalesced'),
      cancelled: stays('wake.dropped'),
      done: stays('wake.dropped'),
    },
  },
  {
    name: 'WAKE of a person',
    event: () => ({ type: 'WAKE', reason: 'please', human: true }),
    cells: {
      idle: leads('running.queued', 'wake.accepted', 'run.queued'),
      'running.queued': stays('wake.accepted', 'wake.coalesced'),
      'running.executing': stays('wake.accepted'),
      'running.stopping': stays('wake.accepted', 'wake.coalesced'),
      'scheduled-retry': arms(
        leads('running.queued', ...PROMOTED, 'wake.accepted', 'wake.coalesced', 'run.queued'),
        'disarm',
      ),
      cancelled: stays('wake.dropped'),
      done: stays('wake.dropped'),
    },
  },
  {
    name: 'WAKE of a person that reopens',
    event: () => ({ type: 'WAKE', reason: 'again', human: true, reopen: true }),
    cells: {
      idle: leads('running.queued', 'wake.accepted', 'run.queued'),
      'running.queued': stays('wake.accepted', 'wake.coalesced'),
      'running.executing': stays('wake.accepted'),
      'running.stopping': stays('wake.accepted', 'wake.coalesced'),
      'scheduled-retry': arms(
        leads('running.queued', ...PROMOTED, 'wake.accepted', 'wake.coalesced', 'run.queued'),
        'disarm',
      ),
      cancelled: leads('running.queued', 'issue.reopened', 'wake.accepted', 'run.queued'),
      done: leads('running.queued', 'issue.reopened', 'wake.accepted', 'run.queued'),
    },
  },
  ...[D, PAUSED].map(
    (other): Row => ({
      name: `ASSIGN to another agent${other === PAUSED ? ' that is paused' : ''}`,
      event: () => ({ type: 'ASSIGN', agentId: other }),
      cells: {
        idle: leads('running.queued', 'issue.assigned', 'run.queued'),
        'running.queued': {
          ...stays(...CANCELLED, 'issue.assigned', 'run.queued'),
          also: (story) => expect(story.record(1)?.errorCode).toBe('issue_reassigned'),
        },
        'running.executing': arms(
          leads('running.stopping', ...DETACHED, 'issue.assigned', 'run.queued'),
          'arm',
        ),
        'running.stopping': {
          ...stays(...CANCELLED, 'issue.assigned', 'run.queued'),
          also: (story) => expect(story.c.detached).toMatchObject({ n: 1, agent: A }),
        },
        'scheduled-retry': arms(
          leads('running.queued', ...RETRY_CANCELLED, 'issue.assigned', 'run.queued'),
          'disarm',
        ),
        cancelled: stays('issue.assigned'),
        done: stays('issue.assigned'),
      },
    }),
  ),
  {
    name: 'ASSIGN to a terminated agent',
    event: () => ({ type: 'ASSIGN', agentId: TERMINATED }),
    cells: everywhere(notAllowed),
  },
  {
    name: 'ASSIGN to an agent that does not exist',
    event: () => ({ type: 'ASSIGN', agentId: UNKNOWN }),
    cells: everywhere({ answer: 'NOT_FOUND' }),
  },
  {
    name: 'ASSIGN to nobody',
    event: () => ({ type: 'ASSIGN', agentId: null }),
    cells: {
      idle: stays('issue.assigned'),
      'running.queued': leads('idle', ...CANCELLED, 'issue.assigned'),
      'running.executing': arms(leads('idle', ...DETACHED, 'issue.assigned'), 'arm'),
      'running.stopping': {
        ...leads('idle', ...CANCELLED, 'issue.assigned'),
        also: (story) => expect(story.c.detached).not.toBeNull(),
      },
      'scheduled-retry': arms(leads('idle', ...RETRY_CANCELLED, 'issue.assigned'), 'disarm'),
      cancelled: stays('issue.assigned'),
      done: stays('issue.assigned'),
    },
  },
  {
    name: 'ASSIGN to the same agent as now',
    event: (story) => ({ type: 'ASSIGN', agentId: story.c.assignee }),
    cells: everywhere(unchanged),
  },
  {
    name: 'GRANT',
    by: SYSTEM,
    event: () => ({ type: 'GRANT', claim: 'c1' }),
    cells: {
      ...everywhere(stale),
      'running.queued': {
        ...leads('running.executing', 'run.started', 'lock.acquired'),
        also: (story) => expect(story.c.fence).toBe(1),
      },
    },
  },
  {
    name: 'RUN.HEARTBEAT',
    by: theWorker,
    event: (story) => ({ type: 'RUN.HEARTBEAT', ...ofRun(story) }),
    cells: { ...everywhere(fenced), 'running.executing': { answer: 'renew' } },
  },
  {
    name: 'RUN.SUCCEEDED, done',
    by: theWorker,
    event: (story) => ({ type: 'RUN.SUCCEEDED', ...ofRun(story) }),
    cells: {
      ...everywhere(fenced),
      'running.executing': leads('done', 'run.succeeded', 'lock.released'),
    },
  },
  {
    name: 'RUN.SUCCEEDED, open',
    by: theWorker,
    event: (story) => ({ type: 'RUN.SUCCEEDED', ...ofRun(story), resolution: 'open' }),
    cells: {
      ...everywhere(fenced),
      'running.executing': leads('idle', 'run.succeeded', 'lock.released'),
    },
  },
  {
    name: 'RUN.FAILED, transient',
    by: theWorker,
    event: (story) => ({
      type: 'RUN.FAILED',
      ...ofRun(story),
      error: '529',
      errorFamily: 'transient_upstream',
    }),
    cells: {
      ...everywhere(fenced),
      'running.executing': arms(
        leads('scheduled-retry', 'run.failed', 'lock.released', 'wake.accepted', 'retry.scheduled'),
        'arm',
      ),
    },
  },
  {
    name: 'RUN.FAILED, permanent',
    by: theWorker,
    event: (story) => ({ type: 'RUN.FAILED', ...ofRun(story), error: 'no such file' }),
    cells: { ...everywhere(fenced), 'running.executing': leads('idle', 'run.failed', 'lock.released') },
  },
  {
    name: 'RUN.STOPPED',
    by: theWorker,
    event: (story) => ({ type: 'RUN.STOPPED', ...ofRun(story) }),
    cells: everywhere(fenced),
  },
  {
    name: 'STOPPED',
    by: SYSTEM,
    event: (story) => ({ type: 'STOPPED', runId: story.runId(story.c.detached?.n ?? 1), how: 'grace' }),
    cells: {
      ...everywhere(stale),
      'running.stopping': arms(leads('running.queued', 'run.stopped'), 'disarm'),
    },
  },
  {
    name: 'LEASE.EXPIRED',
    by: SYSTEM,
    event: (story) => ({ type: 'LEASE.EXPIRED', runId: story.runId(1) }),
    cells: {
      ...everywhere(stale),
      'running.executing': arms(
        leads('scheduled-retry', 'run.lost', 'lock.released', 'wake.accepted', 'retry.scheduled'),
        'arm',
      ),
    },
  },
  ...[RETRY_DUE, 'RETRY.DUE'].map(
    (type): Row => ({
      name: type === RETRY_DUE ? 'XState’s end of the backoff' : 'RETRY.DUE',
      by: SYSTEM,
      event: (story) => {
        story.at = Math.max(story.at, story.run?.retry?.due ?? 0);
        return { type };
      },
      cells: {
        ...everywhere(stale),
        'scheduled-retry': arms(leads('running.queued', 'retry.due', 'run.queued'), 'disarm'),
      },
    }),
  ),
  {
    name: 'RETRY.DUE before it is due',
    by: SYSTEM,
    event: () => ({ type: 'RETRY.DUE' }),
    cells: { ...everywhere(stale), 'scheduled-retry': arms(stays(), 'disarm', 'arm') },
  },
  {
    name: 'RETRY.NOW',
    event: () => ({ type: 'RETRY.NOW' }),
    cells: {
      idle: leads('running.queued', 'wake.accepted', 'run.queued'),
      'running.queued': unchanged,
      'running.executing': notAllowed,
      'running.stopping': notAllowed,
      'scheduled-retry': arms(leads('running.queued', ...PROMOTED, 'run.queued'), 'disarm'),
      cancelled: notAllowed,
      done: notAllowed,
    },
  },
  {
    name: 'RETRY.CANCEL',
    event: () => ({ type: 'RETRY.CANCEL' }),
    cells: {
      ...everywhere(notAllowed),
      'scheduled-retry': {
        ...arms(leads('idle', ...RETRY_CANCELLED), 'disarm'),
        also: (story) => expect(story.record(2)?.errorCode).toBe('operator'),
      },
    },
  },
  {
    name: 'CANCEL',
    event: () => ({ type: 'CANCEL' }),
    cells: {
      idle: leads('cancelled'),
      'running.queued': leads('cancelled', ...CANCELLED),
      'running.executing': {
        ...arms(leads('cancelled', ...DETACHED), 'arm'),
        also: (story) => {
          expect(story.c.fence).toBe(2);
          expect(story.c.detached).toMatchObject({ n: 1, cause: 'issue_cancelled' });
        },
      },
      'running.stopping': {
        ...leads('cancelled', ...CANCELLED),
        also: (story) => {
          expect(story.record(2)?.errorCode).toBe('issue_cancelled');
          expect(story.c.detached).toMatchObject({ n: 1 });
        },
      },
      'scheduled-retry': {
        ...arms(leads('cancelled', ...RETRY_CANCELLED), 'disarm'),
        also: (story) => expect(story.record(2)?.errorCode).toBe('issue_cancelled'),
      },
      cancelled: unchanged,
      done: notAllowed,
    },
  },
  {
    name: 'COMPLETE',
    event: () => ({ type: 'COMPLETE' }),
    cells: {
      idle: leads('done'),
      'running.queued': {
        ...leads('done', ...CANCELLED),
        also: (story) => expect(story.record(1)?.errorCode).toBe('issue_done'),
      },
      'running.executing': {
        ...leads('done', 'lock.released'),
        also: (story) => {
          expect(story.c.detached).toMatchObject({ n: 1, cause: 'issue_done' });
          expect(story.view().detached?.until).toBeNull();
          expect(story.records).toEqual([]);
          expect(story.c.fence).toBe(2);
        },
      },
      'running.stopping': leads('done', ...CANCELLED),
      'scheduled-retry': arms(leads('done', ...RETRY_CANCELLED), 'disarm'),
      cancelled: notAllowed,
      done: unchanged,
    },
  },
  {
    name: 'REOPEN',
    event: () => ({ type: 'REOPEN' }),
    cells: {
      ...everywhere(unchanged),
      cancelled: leads('idle', 'issue.reopened'),
      done: leads('idle', 'issue.reopened'),
    },
  },
  {
    name: 'FORCE_RELEASE',
    event: () => ({ type: 'FORCE_RELEASE' }),
    cells: {
      idle: unchanged,
      'running.queued': arms(leads('idle', ...CANCELLED), 'disarm'),
      'running.executing': {
        ...arms(leads('idle', ...CANCELLED, 'stop.sent'), 'disarm'),
        also: (story) => {
          expect(story.c.detached).toBeNull();
          expect(story.c.fence).toBe(2);
          expect(story.effectData('stop.sent')).toMatchObject({ graceMs: 0 });
        },
      },
      'running.stopping': {
        ...arms(leads('idle', ...CANCELLED, 'stop.sent', 'run.stopped'), 'disarm'),
        also: (story) => expect(story.c.detached).toBeNull(),
      },
      'scheduled-retry': arms(leads('idle', ...RETRY_CANCELLED), 'disarm', 'disarm'),
      cancelled: unchanged,
      done: unchanged,
    },
  },
  {
    name: 'PRIORITY',
    event: () => ({ type: 'PRIORITY', priority: 'critical' }),
    cells: {
      ...everywhere(stays('issue.edited')),
      'running.queued': {
        ...stays('issue.edited'),
        also: (story) => expect(kind.slot(story.s)?.rank).toBe(story.run?.queued),
      },
      cancelled: notAllowed,
      done: notAllowed,
    },
  },
  {
    name: 'PRIORITY of the same value',
    event: () => ({ type: 'PRIORITY', priority: 'medium' }),
    cells: everywhere(unchanged),
  },
  {
    name: 'COMMENT of an operator',
    event: () => ({ type: 'COMMENT', body: 'Did you try the other ladder?' }),
    cells: {
      idle: leads('running.queued', 'comment.added', 'wake.accepted', 'run.queued'),
      'running.queued': stays('comment.added', 'wake.accepted', 'wake.coalesced'),
      'running.executing': stays('comment.added', 'wake.accepted'),
      'running.stopping': stays('comment.added', 'wake.accepted', 'wake.coalesced'),
      'scheduled-retry': arms(
        leads(
          'running.queued',
          ...PROMOTED,
          'comment.added',
          'wake.accepted',
          'wake.coalesced',
          'run.queued',
        ),
        'disarm',
      ),
      cancelled: stays('comment.added'),
      done: stays('comment.added'),
    },
  },
  {
    name: 'COMMENT of an operator that reopens',
    event: () => ({ type: 'COMMENT', body: 'Once more', reopen: true }),
    cells: {
      idle: leads('running.queued', 'comment.added', 'wake.accepted', 'run.queued'),
      'running.queued': stays('comment.added', 'wake.accepted', 'wake.coalesced'),
      'running.executing': stays('comment.added', 'wake.accepted'),
      'running.stopping': stays('comment.added', 'wake.accepted', 'wake.coalesced'),
      'scheduled-retry': arms(
        leads(
          'running.queued',
          ...PROMOTED,
          'comment.added',
          'wake.accepted',
          'wake.coalesced',
          'run.queued',
        ),
        'disarm',
      ),
      cancelled: leads('running.queued', 'issue.reopened', 'comment.added', 'wake.accepted', 'run.queued'),
      done: leads('running.queued', 'issue.reopened', 'comment.added', 'wake.accepted', 'run.queued'),
    },
  },
  {
    name: 'COMMENT of an agent',
    by: agent(A),
    event: () => ({ type: 'COMMENT', body: 'I am at it.', reopen: true }),
    cells: {
      ...everywhere({
        ...stays('comment.added'),
        also: (story) =>
          expect(story.records.at(-1)).toMatchObject({
            kind: 'comment',
            record: { body: 'I am at it.', by: agent(A) },
          }),
      }),
    },
  },
  {
    name: 'EDIT',
    event: () => ({ type: 'EDIT', title: 'Mend the whole roof' }),
    cells: everywhere({
      ...stays('issue.edited'),
      also: (story) => expect(story.head.title).toBe('Mend the whole roof'),
    }),
  },
  {
    name: 'AGENT.PAUSED',
    by: SYSTEM,
    event: (story) => ({ type: 'AGENT.PAUSED', agentId: story.c.assignee }),
    cells: {
      ...everywhere(stale),
      'running.executing': {
        ...arms(leads('running.stopping', ...DETACHED, 'run.queued'), 'arm'),
        also: (story) => {
          expect(story.record(1)?.errorCode).toBe('agent_paused');
          expect(story.c.assignee).toBe(A);
        },
      },
    },
  },
  {
    name: 'AGENT.TERMINATED',
    by: SYSTEM,
    event: (story) => ({ type: 'AGENT.TERMINATED', agentId: story.c.assignee }),
    cells: {
      idle: {
        ...stays('issue.assigned'),
        also: (story) => expect(story.view().why.code).toBe('agent_terminated'),
      },
      'running.queued': leads('idle', ...CANCELLED, 'issue.assigned'),
      'running.executing': {
        ...arms(leads('idle', ...DETACHED, 'issue.assigned'), 'arm'),
        also: (story) => expect(story.record(1)?.errorCode).toBe('agent_terminated'),
      },
      'running.stopping': {
        ...leads('idle', ...CANCELLED, 'issue.assigned'),
        also: (story) => expect(story.record(2)?.errorCode).toBe('agent_terminated'),
      },
      'scheduled-retry': arms(leads('idle', ...RETRY_CANCELLED, 'issue.assigned'), 'disarm'),
      cancelled: unchanged,
      done: unchanged,
    },
  },
  {
    name: 'CREATED a second time',
    by: SYSTEM,
    event: () => kind.born({ title: 'x' }, { id: 'i7f3000000000009', prefix: 'X', ordinal: 1 }) as Ev,
    cells: everywhere(stale),
  },
];

/** One test per cell. @param build which build of XState it runs against, for the titles. */
export function tableSuite(build: string): void {
  describe(`events × states (${build})`, () => {
    for (const row of TABLE) {
      describe(row.name, () => {
        it.each(COLUMNS.map((column) => [column, row.cells[column]] as const))('in %s', (column, cell) => {
          const story = storyIn(column);
          const before = JSON.stringify(story.s);
          const version = story.version;
          const event = row.event(story);
          const by = typeof row.by === 'function' ? row.by(story) : (row.by ?? OPERATOR);
          const answer = story.send(event, by);
          expect(answer.code ?? answer.is).toBe(cell.answer);
          expect(answer.state).toBe(cell.to ?? column);
          expect(answer.effects).toEqual(cell.effects ?? []);
          expect(answer.timers.map((t) => t.is)).toEqual(cell.timers ?? []);
          if (cell.answer === 'apply') {
            expect(answer.handled).toBe(true);
            expect(story.version).toBe(version + 1);
          } else {
            expect(JSON.stringify(story.s)).toBe(before);
            expect(story.version).toBe(version);
          }
          if (answer.code === 'NOT_ALLOWED') {
            const [state, substate = null] = column.split('.');
            expect(answer.detail).toMatchObject({ state, substate });
            expect(answer.detail.allowed).toContain('EDIT');
          }
          if (answer.code === 'FENCED') {
            const { lock, detached } = story.view();
            expect(answer.detail).toEqual({ holder: lock, detached, fence: story.c.fence });
          }
          cell.also?.(story);
        });
      });
    }

    it('has a row for every event there is', () => {
      const outside = issueEvents.options.map((option) => optionType(option));
      const rows = new Set(TABLE.map((row) => row.event(storyIn('idle')).type));
      expect([...outside, ...kind.internal].filter((type) => !rows.has(type))).toEqual([]);
      expect(agentEvents.options.length).toBe(4);
    });
  });
}

function optionType(option: unknown): string {
  const { shape } = option as { shape: { type: { value: string } } };
  return shape.type.value;
}
