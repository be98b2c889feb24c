import { describe, expect, it } from 'vitest';
import { PATIENCE_MS, stuckSince } from '../../src/client/stuck.ts';
import type { IssueView, WhyCode } from '../../src/machines/view.ts';

const AT = 1_000_000_000;
const MINUTE = 60_000;

function issue(code: WhyCode, more: Partial<IssueView> = {}): IssueView {
  const lock = { runId: 'i.1', agentId: 'a', mode: 'reserved', fence: 1, lockedAt: AT } as const;
  const some = {
    why: { code, text: '' },
    wakes: [],
    lock,
    nextAt: null,
    lastError: null,
    updatedAt: AT,
    ...more,
  };
  return some as unknown as IssueView;
}
const wake = { id: 'w', reason: 'x', source: 'y', human: true, payload: null, at: AT };

describe('an issue that waits longer than it should', () => {
  it.each(['failed', 'retry_exhausted', 'quarantined', 'agent_terminated'] as const)(
    'is stuck at once when only a person can move it: %s',
    (code) => expect(stuckSince(issue(code), AT)).toEqual({ reason: code, since: AT }),
  );

  it.each([
    ['agent_offline', MINUTE],
    ['agent_paused', MINUTE],
    ['waiting_for_slot', 10 * MINUTE],
  ] as const)('%s is stuck only after its patience', (code, ms) => {
    expect(PATIENCE_MS[code]).toBe(ms);
    expect(stuckSince(issue(code), AT + ms - 1)).toBeNull();
    expect(stuckSince(issue(code), AT + ms)).toEqual({ reason: code, since: AT });
  });

  it('a backoff is stuck only when its due time has passed without anything happening', () => {
    const waiting = issue('backoff', { nextAt: AT + 10 * MINUTE });
    expect(stuckSince(waiting, AT + 9 * MINUTE)).toBeNull();
    expect(stuckSince(waiting, AT + 11 * MINUTE)?.since).toBe(AT + 10 * MINUTE);
  });

  it('a successor whose predecessor may run on as long as it lives is not stuck', () => {
    expect(stuckSince(issue('stopping'), AT + 1000 * MINUTE)).toBeNull();
  });

  it('a backlog is not stuck, a wake that nobody takes up is', () => {
    expect(stuckSince(issue('unassigned'), AT + 1000 * MINUTE)).toBeNull();
    expect(stuckSince(issue('unassigned', { wakes: [wake] }), AT + 10 * MINUTE)?.reason).toBe('unassigned');
  });

  it.each(['executing', 'done', 'cancelled', 'no_work'] as const)('%s never is', (code) =>
    expect(stuckSince(issue(code), AT + 1000 * MINUTE)).toBeNull(),
  );

  it('a reason that is known better than the view’s is the one that counts', () => {
    expect(stuckSince(issue('waiting_for_slot'), AT + 2 * MINUTE, 'agent_paused')?.reason).toBe(
      'agent_paused',
    );
  });
});
