import { describe, expect, it } from 'vitest';
import { PATIENCE_MS, stuckSince } from '../../src/client/stuck.ts';
import type { IssueView, WhyCode } from '../../src/machines/view.ts';

const AT = 1_000_000_000;
const MINUTE = 60_000;
const FOREVER = AT + 1000 * MINUTE;

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
  it.each([
    'failed',
    'retry_exhausted',
    'quarantined',
    'agent_terminated',
    'agent_paused',
    'agent_offline',
    'parked',
  ] as const)('is stuck at once when only a person can move it: %s', (code) =>
    expect(stuckSince(issue(code), AT)).toEqual({ reason: code, since: AT }),
  );

  it.each([
    ['waiting_for_slot', PATIENCE_MS],
    ['stopping', PATIENCE_MS],
  ] as const)('%s is stuck only after a while', (code, ms) => {
    expect(stuckSince(issue(code), AT + ms - 1)).toBeNull();
    expect(stuckSince(issue(code), AT + ms)).toEqual({ reason: code, since: AT });
    expect(stuckSince(issue(code), AT, { patienceMs: 0 })).not.toBeNull();
  });

  it.each(['backoff', 'executing', 'stopping'] as const)(
    '%s is stuck when it should have gone on',
    (code) => {
      const timed = issue(code, { nextAt: AT + 30 * MINUTE });
      expect(stuckSince(timed, AT + 29 * MINUTE)).toBeNull();
      expect(stuckSince(timed, AT + 31 * MINUTE)?.since).toBe(AT + 30 * MINUTE);
    },
  );

  it('a backlog is not stuck, a wake that nobody is there for is', () => {
    expect(stuckSince(issue('unassigned'), FOREVER)).toBeNull();
    expect(stuckSince(issue('unassigned', { wakes: [wake] }), AT)?.reason).toBe('unassigned');
  });

  it.each(['done', 'cancelled', 'no_work', 'executing', 'backoff'] as const)(
    '%s without a time never is',
    (code) => expect(stuckSince(issue(code), FOREVER)).toBeNull(),
  );

  it('a reason that is known better than the view’s is the one that counts', () => {
    const paused = stuckSince(issue('waiting_for_slot'), AT + 2 * MINUTE, { reason: 'agent_paused' });
    expect(paused?.reason).toBe('agent_paused');
  });
});
