import { describe, expect, it } from 'vitest';
import { REASONS, stuckOf } from '../../src/cli/stuck.ts';
import type { IssueView, WhyCode } from '../../src/machines/view.ts';

const NOW = 10_000_000;
const MINUTE = 60_000;
const issue = (code: WhyCode, waited: number, over: Partial<IssueView> = {}) =>
  ({
    id: code,
    why: { code, text: '' },
    updatedAt: NOW - waited,
    nextAt: null,
    wakes: [{}],
    ...over,
  }) as IssueView;
const codes = (...issues: IssueView[]) => stuckOf(issues, NOW).map(({ code }) => code);

describe('what is stuck', () => {
  it('is grouped by reason, the gravest first, within a group the longest waiting first', () => {
    const groups = stuckOf(
      [issue('unassigned', 1), issue('failed', 5), issue('failed', 9), issue('quarantined', 1)],
      NOW,
    );
    expect(groups.map(({ code, issues }) => [code, issues.map((i) => NOW - i.updatedAt)])).toEqual([
      ['quarantined', [1]],
      ['failed', [9, 5]],
      ['unassigned', [1]],
    ]);
  });
  it('is not what ends by itself: a retry before its time, a run within its lease, work that is over', () => {
    const ahead = { nextAt: NOW + 1 };
    expect(codes(issue('backoff', 99 * MINUTE, ahead), issue('executing', 99 * MINUTE, ahead))).toEqual([]);
    expect(codes(issue('done', 1), issue('cancelled', 1), issue('no_work', 99 * MINUTE))).toEqual([]);
  });
  it('is a retry or a lease whose time has passed', () => {
    const past = { nextAt: NOW - 6000 };
    expect(codes(issue('backoff', 1, past), issue('executing', 1, past))).toEqual(['backoff', 'executing']);
  });
  it('is a usual wait only after a while', () => {
    expect(codes(issue('waiting_for_slot', 9 * MINUTE), issue('stopping', 9 * MINUTE))).toEqual([]);
    expect(codes(issue('waiting_for_slot', 11 * MINUTE), issue('stopping', 11 * MINUTE))).toEqual([
      'stopping',
      'waiting_for_slot',
    ]);
    expect(stuckOf([issue('waiting_for_slot', 2 * MINUTE)], NOW, MINUTE)).toHaveLength(1);
  });
  it('has something to do for every reason', () => {
    for (const reason of Object.values(REASONS)) if (reason !== null) expect(reason.todo).not.toBe('');
  });
});
