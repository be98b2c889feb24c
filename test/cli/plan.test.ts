import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Incident, readIncidents } from '../../src/cli/replay/incident-log.ts';
import type { LogRow, Phase } from '../../src/cli/replay/log-row.ts';
import { type Plan, plan, totalsOf } from '../../src/cli/replay/plan.ts';
import type { PriorityName } from '../../src/machines/view.ts';

const PHASES: Record<string, Phase> = {
  New: 'new',
  Active: 'active',
  Awaiting: 'awaiting',
  Resolved: 'closed',
  Closed: 'closed',
  '-100': 'same',
};

/** `Active R1 high`: state, assignee (`?` nobody), priority (medium when absent). */
function incident(...rows: string[]): Incident {
  return {
    number: 'INC1',
    rows: rows.map((text, i): LogRow => {
      const [state = '', assignee = '?', priority = 'medium'] = text.split(' ');
      return {
        line: i + 2,
        number: 'INC1',
        state,
        phase: PHASES[state] as Phase,
        assignee: assignee === '?' ? null : assignee,
        group: 'G',
        priority: priority as PriorityName,
        at: i,
        modCount: i,
      };
    }),
  };
}
function brief({ steps }: Plan): string[] {
  return steps.map((step) => {
    switch (step.do) {
      case 'assign':
        return `assign ${step.to} from ${step.from}`;
      case 'succeed':
        return `succeed ${step.resolution}`;
      case 'priority':
        return `priority ${step.to}`;
      default:
        return step.do;
    }
  });
}
const of = (...rows: string[]) => brief(plan(incident(...rows)));

describe('a row of the log', () => {
  it('in New is an issue at rest, whoever has it', () => {
    expect(of('New R1', 'New R2')).toEqual(['assign R2 from rest']);
    expect(plan(incident('New R1')).final).toEqual({ state: 'idle', assignee: 'R1', priority: 'medium' });
  });
  it('in Active is a run of its assignee, and nothing without one', () => {
    expect(of('New R1', 'Active R1', 'Closed R1')).toEqual(['wake', 'work', 'succeed done']);
    expect(of('Active ?')).toEqual([]);
    expect(of('Active ?', 'Active R1', 'Closed R1')).toEqual([
      'assign R1 from rest',
      'wake',
      'work',
      'succeed done',
    ]);
  });
  it('with another assignee hands the run over', () => {
    expect(of('Active R1', 'Active R2', 'Closed R2')).toEqual([
      'wake',
      'work',
      'assign R2 from run',
      'work',
      'succeed done',
    ]);
    expect(of('Active R1', 'Active ?', 'Closed ?')).toEqual([
      'wake',
      'work',
      'assign null from run',
      'complete',
    ]);
  });
  it('in Awaiting is a transient failure that the next activity pulls', () => {
    expect(of('New R1', 'Awaiting R1', 'Active R1', 'Closed R1')).toEqual([
      'wake',
      'work',
      'fail',
      'pull',
      'work',
      'succeed done',
    ]);
  });
  it('in Awaiting with another assignee is a reassignment out of a scheduled retry', () => {
    const it = plan(incident('Awaiting R1', 'Awaiting R2', 'Closed R2'));
    expect(brief(it)).toEqual(['wake', 'work', 'fail', 'assign R2 from retry', 'work', 'fail', 'complete']);
    expect(totalsOf([it])).toEqual({ reassignments: 1, outOfRetry: 1 });
  });
  it('in Awaiting without an assignee rests', () => {
    expect(of('Awaiting R1', 'Awaiting ?', 'Awaiting R1')).toEqual([
      'wake',
      'work',
      'fail',
      'assign null from retry',
      'assign R1 from rest',
      'wake',
      'work',
      'fail',
    ]);
  });
  it('in Resolved and Closed is done, from anywhere', () => {
    expect(of('New R1', 'Resolved R1')).toEqual(['complete']);
    expect(of('Awaiting R1', 'Resolved R1')).toEqual(['wake', 'work', 'fail', 'complete']);
    expect(of('New R1', 'Resolved R2', 'Closed R3')).toEqual([
      'assign R2 from rest',
      'complete',
      'assign R3 from rest',
    ]);
  });
  it('after that reopens', () => {
    expect(of('Resolved R1', 'Active R1', 'Closed R1')).toEqual([
      'complete',
      'reopen',
      'wake',
      'work',
      'succeed done',
    ]);
    expect(of('Resolved R1', 'New R1')).toEqual(['complete', 'reopen']);
  });
  it('back in New puts running work and waiting retries to rest', () => {
    expect(of('Active R1', 'New R1')).toEqual(['wake', 'work', 'succeed open']);
    expect(of('Awaiting R1', 'New R1')).toEqual(['wake', 'work', 'fail', 'cancel-retry']);
  });
  it('with another priority sends it, also where the issue is closed', () => {
    expect(of('New R1 medium', 'New R1 high')).toEqual(['priority high']);
    expect(of('Resolved R1 medium', 'Closed R1 low')).toEqual([
      'complete',
      'reopen',
      'priority low',
      'complete',
    ]);
  });
  it('of unknown state means what the row before meant', () => {
    expect(of('Active R1', '-100 R2', 'Closed R2')).toEqual([
      'wake',
      'work',
      'assign R2 from run',
      'work',
      'succeed done',
    ]);
  });
  it('that changes nothing is written down', () => {
    expect(of('New R1', 'New R1')).toEqual(['note']);
  });
});

describe('work that the log leaves unfinished', () => {
  it('is played last: its first step is known', () => {
    const unfinished = plan(incident('New R1', 'Awaiting R1', 'Active R1', 'Active R2'));
    expect(brief(unfinished).slice(unfinished.rest)).toEqual(['pull', 'work', 'assign R2 from run', 'work']);
    expect(unfinished.final).toEqual({ state: 'running', assignee: 'R2', priority: 'medium' });
  });
  it('is nothing where the log ends at rest, waiting or done', () => {
    for (const last of ['New', 'Awaiting', 'Closed']) {
      const it = plan(incident('Active R1', `${last} R1`));
      expect(it.rest).toBe(it.steps.length);
    }
  });
});

describe('the example log', () => {
  let incidents: Incident[];
  let plans: Plan[];
  beforeAll(async () => {
    incidents = await readIncidents(
      fileURLToPath(new URL('../../examples/incidents.csv.gz', import.meta.url)),
    );
    plans = incidents.map(plan);
  });

  it('has a thousand incidents, rich in reassignments, waits and reopens', () => {
    expect(incidents).toHaveLength(1000);
    const { reassignments, outOfRetry } = totalsOf(plans);
    expect(reassignments).toBeGreaterThan(1000);
    expect(outOfRetry).toBeGreaterThan(250);
    expect(plans.filter((p) => p.steps.some((s) => s.do === 'reopen')).length).toBeGreaterThan(100);
  });

  it('ends for every incident as its last row says', () => {
    for (const [i, { rows }] of incidents.entries()) {
      const last = rows.at(-1) as LogRow;
      const { final } = plans[i] as Plan;
      expect(final.assignee).toBe(last.assignee);
      expect(final.priority).toBe(last.priority);
      if (last.phase === 'closed') expect(final.state).toBe('done');
      if (last.phase === 'new') expect(final.state).toBe('idle');
    }
  });

  it('has a step for every row but the first of an incident, in the order of the rows', () => {
    for (const [i, { rows }] of incidents.entries()) {
      const lines = (plans[i] as Plan).steps.map((s) => s.line);
      const order = rows.map((r) => r.line);
      expect([...new Set(lines)].sort((a, b) => order.indexOf(a) - order.indexOf(b))).toEqual([
        ...new Set(lines),
      ]);
      for (const row of rows.slice(1)) expect(lines).toContain(row.line);
    }
  });

  it('never has a worker report what it was not granted', () => {
    for (const { steps } of plans) {
      let granted = false;
      for (const step of steps) {
        if (step.do === 'work') granted = true;
        if (step.do === 'fail' || step.do === 'succeed') {
          expect(granted).toBe(true);
          granted = false;
        }
        if (step.do === 'assign' && step.from !== 'rest') granted = false;
      }
    }
  });
});
