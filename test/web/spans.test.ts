/** Runs and backoffs over time, out of a journal: the timeline of the issue page, without the page. */
import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/client/index.ts';
import { ticksOf, timelineOf } from '../../web/src/issue/spans.ts';

function row(at: number, ...effects: [type: string, data: Record<string, unknown>][]): Change {
  const shown = effects.map(([type, data]) => ({ type, data: { runId: 'i1.1', agentId: 'a1', ...data } }));
  return { at, effects: shown } as unknown as Change;
}

describe('the runs of a journal', () => {
  it('wait, are executed, fail, back off, and are executed again', () => {
    const runs = timelineOf([
      row(0, ['run.queued', { attempt: 0 }]),
      row(10, ['run.started', {}]),
      row(
        30,
        ['run.failed', { errorCode: '429' }],
        ['retry.scheduled', { runId: 'i1.2', attempt: 1, dueAt: 90 }],
      ),
      row(
        60,
        ['retry.moved', { runId: 'i1.2', from: 90, to: 60 }],
        ['retry.due', { runId: 'i1.2' }],
        ['run.queued', { runId: 'i1.2', attempt: 1 }],
      ),
      row(70, ['run.started', { runId: 'i1.2' }]),
    ]);
    expect(runs).toEqual([
      {
        id: 'i1.1',
        n: 1,
        agentId: 'a1',
        attempt: 0,
        spans: [
          { is: 'queued', from: 0, to: 10 },
          { is: 'executing', from: 10, to: 30 },
        ],
        dueAt: null,
        end: { is: 'failed', at: 30, why: '429' },
      },
      {
        id: 'i1.2',
        n: 2,
        agentId: 'a1',
        attempt: 1,
        spans: [
          { is: 'backoff', from: 30, to: 60 },
          { is: 'queued', from: 60, to: 70 },
          { is: 'executing', from: 70, to: null },
        ],
        dueAt: null,
        end: null,
      },
    ]);
  });

  it('that lose their authority are stopping until their worker is gone; a released one is not waited for', () => {
    const told = [
      row(0, ['run.started', {}]),
      row(5, ['run.cancelled', { errorCode: 'issue_reassigned' }], ['stop.sent', { graceMs: 100 }]),
    ];
    const [stopping] = timelineOf(told);
    expect(stopping?.spans.at(-1)).toEqual({ is: 'stopping', from: 5, to: null });
    expect(stopping?.end).toEqual({ is: 'cancelled', at: 5, why: 'issue_reassigned' });
    const [stopped] = timelineOf([...told, row(9, ['run.stopped', {}])]);
    expect(stopped?.spans.at(-1)).toEqual({ is: 'stopping', from: 5, to: 9 });
    const [released] = timelineOf([
      row(0, ['run.started', {}]),
      row(5, ['run.cancelled', {}], ['stop.sent', { graceMs: 0 }]),
    ]);
    expect(released?.spans).toEqual([{ is: 'executing', from: 0, to: 5 }]);
  });

  it('are those of a journal without any: none', () => {
    expect(timelineOf([])).toEqual([]);
    expect(timelineOf([row(0, ['issue.edited', { runId: undefined }])])).toEqual([]);
  });
});

describe('the ticks of a time axis', () => {
  it('are round points in time, never more than there is room for', () => {
    expect(ticksOf(1_000, 61_000, 6)).toEqual([10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
    for (const length of [500, 7_000, 3_600_000, 86_400_000, 40 * 86_400_000]) {
      expect(ticksOf(123_456, 123_456 + length, 5).length).toBeLessThanOrEqual(6);
    }
  });
});
