/** A seed is a history: run again it is the same to the last line of its trace (A10). */
import { expect, it } from 'vitest';
import { runHistory } from './history.ts';
import { report } from './report.ts';
import { Chance } from './world/chance.ts';
import { draw } from './world/plan.ts';
import { Trace } from './world/trace.ts';

it.each([3, 17, 58, 92, 404, 849])('runs seed %i twice with the same trace', async (seed) => {
  const first = await runHistory(seed);
  const second = await runHistory(seed);
  expect(second.hash).toBe(first.hash);
  expect([second.steps, second.versions]).toEqual([first.steps, first.versions]);
});

it('runs different seeds differently', async () => {
  expect((await runHistory(3)).hash).not.toBe((await runHistory(4)).hash);
});

it('draws plans of every shape, with every fault and without any', () => {
  const plans = Array.from({ length: 300 }, (_, n) => draw(n));
  expect(new Set(plans.map((plan) => plan.shape))).toEqual(new Set(['busy', 'quiet', 'long']));
  const faults = [
    'lost',
    'unanswered',
    'late',
    'beatLate',
    'crashEvery',
    'stopEvery',
    'pauseEvery',
    'cutEvery',
    'downEvery',
    'jumpEvery',
    'netLost',
    'poison',
  ] as const;
  for (const fault of faults) {
    expect(
      plans.some((plan) => plan.faults[fault] > 0),
      fault,
    ).toBe(true);
    expect(
      plans.some((plan) => plan.faults[fault] === 0),
      fault,
    ).toBe(true);
  }
});

it('splits chance into streams that do not shift each other', () => {
  const one = new Chance('x');
  const other = new Chance('x');
  one.split('a').u();
  expect(one.u()).toBe(other.u());
  expect(one.split('a').u()).not.toBe(one.split('b').u());
});

it('keeps the last 200 lines of a trace and a hash of all', () => {
  const trace = new Trace();
  for (let n = 0; n < 500; n++) trace.line(`line ${n}`);
  expect(trace.last).toHaveLength(200);
  expect([trace.last[0], trace.last.at(-1)]).toEqual(['line 300', 'line 499']);
  const other = new Trace();
  for (let n = 1; n < 500; n++) other.line(`line ${n}`);
  expect(other.hash).not.toBe(trace.hash);
});

it('says how to run a failing history again', async () => {
  const history = await runHistory(3);
  const text = report({ ...history, findings: [{ check: 'P1', text: 'two at once' }] });
  expect(text).toContain('P1: two at once');
  expect(text).toContain('npm run sim -- --seed 3');
});
