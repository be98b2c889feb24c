import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { journalFaults, viewFaults } from '../../src/cli/replay/check.ts';
import type { Plan } from '../../src/cli/replay/plan.ts';
import { percentile } from '../../src/cli/replay/report.ts';
import type { Change } from '../../src/client/frames.ts';
import type { IssueView } from '../../src/machines/view.ts';
import { baton } from './world.ts';

describe('baton replay', () => {
  it('plays incidents of the example log on a server of its own, and all end as the log says', async () => {
    const file = fileURLToPath(new URL('../../examples/incidents.csv.gz', import.meta.url));
    const dataDir = mkdtempSync(join(tmpdir(), 'baton-replay-'));
    const { code, err, lines } = await baton(['replay', file, '--limit', '60', '--data-dir', dataDir]);
    expect(err).toBe('');
    expect(code).toBe(0);
    const [report] = lines();
    expect(report).toMatchObject({ incidents: 60, wrong: 0, problems: [] });
    expect(report?.reassignmentsOutOfRetry).toBeGreaterThan(5);
    expect(report?.events).toBeGreaterThan(Number(report?.rows));
    rmSync(dataDir, { recursive: true, force: true });
  }, 120_000);

  it('on a named server that is not there ends with exit code 4', async () => {
    const { code } = await baton(['replay', '--url', 'http://127.0.0.1:1']);
    expect(code).toBe(4);
  });
});

describe('the check finds', () => {
  const agents = new Map([['R1', 'a1']]);
  const plan = (state: IssueView['state']) =>
    ({ number: 'INC1', final: { state, assignee: 'R1', priority: 'high' } }) as Plan;
  const view = (over: Partial<IssueView>) =>
    ({ state: 'done', assigneeAgentId: 'a1', priority: 'high', lock: null, ...over }) as IssueView;
  const lock = (agentId: string) => ({
    runId: 'i1.1',
    agentId,
    mode: 'reserved' as const,
    fence: 1,
    lockedAt: 0,
  });

  it('nothing where there is nothing', () => {
    expect(viewFaults({ plan: plan('done') }, view({}), agents)).toEqual([]);
    expect(
      viewFaults({ plan: plan('running') }, view({ state: 'running', lock: lock('a1') }), agents),
    ).toEqual([]);
  });
  it.each([
    ['another state', view({ state: 'idle' })],
    ['another assignee', view({ assigneeAgentId: 'a2' })],
    ['another priority', view({ priority: 'low' })],
    ['a lock that outlived its run', view({ lock: lock('a1') })],
  ])('%s', (_what, wrong) => {
    expect(viewFaults({ plan: plan('done') }, wrong, agents)).toHaveLength(1);
  });
  it('a lock that is not the assignee’s', () => {
    const retry = view({ state: 'scheduled-retry', lock: lock('a2') });
    expect(viewFaults({ plan: plan('scheduled-retry') }, retry, agents)).toHaveLength(1);
  });

  const row = (version: number, type: string, effects: string[] = []) =>
    ({ version, type, effects: effects.map((e) => ({ type: e, data: {} })) }) as unknown as Change;
  const ack = { version: 2, type: 'ASSIGN', line: 5, outOfRetry: true };

  it('a gap in the journal, an acknowledged event that is not in it, a retry left behind', () => {
    const whole = ['retry.cancelled', 'run.cancelled', 'lock.released'];
    expect(journalFaults([row(1, 'CREATED'), row(2, 'ASSIGN', whole)], 2, [ack])).toEqual([]);
    expect(journalFaults([row(1, 'CREATED'), row(3, 'ASSIGN', whole)], 2, [])).toHaveLength(1);
    expect(journalFaults([row(1, 'CREATED')], 1, [ack])[0]).toContain('the journal has nothing');
    expect(journalFaults([row(1, 'CREATED'), row(2, 'EDIT')], 2, [ack])[0]).toContain('the journal has EDIT');
    expect(journalFaults([row(1, 'CREATED'), row(2, 'ASSIGN')], 2, [ack])[0]).toContain('did not cause');
  });

  it('percentiles by nearest rank', () => {
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(3);
    expect(percentile([], 0.99)).toBe(0);
  });
});
