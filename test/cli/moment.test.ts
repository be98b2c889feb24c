/** What a viewer on the terminal is told of the demo. */
import { describe, expect, it } from 'vitest';
import { type Before, momentOf } from '../../src/cli/demo/moment.ts';
import type { Change } from '../../src/client/frames.ts';
import type { IssueView } from '../../src/machines/view.ts';

const BEFORE: Before = { assignee: 'caller', isKilled: false, isFirstRetry: false };

/** The moment that a change of DEMO-7 is, told with agent ids as names. */
function told(change: Partial<Change>, issue: Partial<IssueView> = {}, before: Partial<Before> = {}) {
  const view = { identifier: 'DEMO-7', state: 'running', attempt: 0, maxAttempts: 4, nextAt: null, ...issue };
  const whole = { at: 1000, from: 'running.executing', ...change } as Change;
  const moment = momentOf(whole, view as IssueView, { ...BEFORE, ...before }, (id) => id ?? 'nobody');
  return moment === null ? null : [moment.text, moment.isOfNote];
}
const RETRYING = {
  state: 'scheduled-retry',
  attempt: 1,
  nextAt: 13_000,
  lastError: { error: '429 Too Many Requests', errorCode: 'codex_transient_upstream' },
} as Partial<IssueView>;

describe('a moment of the demo', () => {
  it('is of note when it is the first retry, and the same again later', () => {
    const text = 'DEMO-7 failed (codex_transient_upstream): retry 1 of 4 comes by itself in 12 s';
    expect(told({ type: 'RUN.FAILED' }, RETRYING, { isFirstRetry: true })).toEqual([text, true]);
    expect(told({ type: 'RUN.FAILED' }, RETRYING)).toEqual([text, false]);
    expect(told({ type: 'RETRY.DUE' }, { attempt: 1 })).toEqual([
      'DEMO-7 is due: retry 1 of 4 is queued',
      false,
    ]);
  });
  it('says of a lost run how it goes on, and who takes it over', () => {
    expect(told({ type: 'LEASE.EXPIRED' }, { ...RETRYING, nextAt: 4000 })).toEqual([
      'DEMO-7 run lost, its worker is not heard of: it goes on as retry 1 of 4 in 3 s',
      true,
    ]);
    const granted = { attempt: 1, assigneeAgentId: 'builder' };
    expect(told({ type: 'GRANT' }, granted, { isKilled: true })).toEqual([
      'DEMO-7 taken over by another worker of builder, as retry 1 of 4',
      true,
    ]);
    expect(told({ type: 'GRANT' }, granted)).toBeNull();
  });
  it('says from whom to whom an issue was reassigned, and that it was out of its backoff', () => {
    const to = { assigneeAgentId: 'checker' };
    expect(told({ type: 'ASSIGN', from: 'scheduled-retry' }, to)).toEqual([
      'DEMO-7 taken out of its backoff: reassigned from caller to checker',
      true,
    ]);
    expect(told({ type: 'ASSIGN', from: 'idle' }, to, { assignee: null })?.[0]).toBe(
      'DEMO-7 reassigned to checker',
    );
  });
  it('says of a cancelled issue what became of its run', () => {
    const of = (from: string) => told({ type: 'CANCEL', from })?.[0];
    expect(of('running.queued')).toBe('DEMO-7 cancelled while it was queued: its run is never given out');
    expect(of('running.executing')).toBe('DEMO-7 cancelled while it was executing');
  });
  it('is none when everything goes as it should', () => {
    for (const type of ['CREATED', 'RUN.SUCCEEDED', 'COMMENT']) expect(told({ type })).toBeNull();
  });
});
