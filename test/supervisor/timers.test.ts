import { describe, expect, it } from 'vitest';
import { Timers } from '../../src/supervisor/timers.ts';
import { ManualClock } from '../support/manual-clock.ts';

function timers() {
  const clock = new ManualClock();
  const fired: [string, number][] = [];
  const made = new Timers(clock, (key) => fired.push([key, clock.now()]));
  return { clock, fired, timers: made, t0: clock.now() };
}

describe('timers', () => {
  it('never fire before they are due, and fire in due order', async () => {
    const { clock, fired, timers: t, t0 } = timers();
    t.set('b', t0 + 200);
    t.set('a', t0 + 100);
    await clock.pass(99);
    expect(fired).toEqual([]);
    await clock.pass(101);
    expect(fired).toEqual([
      ['a', t0 + 100],
      ['b', t0 + 200],
    ]);
  });

  it('move when they are set again, and stay silent when they are cancelled', async () => {
    const { clock, fired, timers: t, t0 } = timers();
    t.set('a', t0 + 100);
    t.set('a', t0 + 300);
    t.set('b', t0 + 100);
    t.cancel('b');
    await clock.pass(200);
    expect(fired).toEqual([]);
    t.set('a', t0 + 250);
    await clock.pass(50);
    expect(fired).toEqual([['a', t0 + 250]]);
  });

  it('keep one timer of the operating system, however many are set', () => {
    const { clock, timers: t, t0 } = timers();
    for (let n = 0; n < 1000; n++) t.set(`k${n}`, t0 + 1000 + n);
    t.set('sooner', t0 + 10);
    expect(clock.set).toBe(1);
    expect(t.size).toBe(1001);
  });

  it('fire all that are due at one instant, overdue ones at once', async () => {
    const { clock, fired, timers: t, t0 } = timers();
    for (let n = 0; n < 500; n++) t.set(`k${n}`, t0 - n);
    await clock.pass(0);
    expect(fired.length).toBe(500);
  });

  it('stay silent once stopped', async () => {
    const { clock, fired, timers: t, t0 } = timers();
    t.set('a', t0 + 10);
    t.stop();
    await clock.pass(100);
    expect(fired).toEqual([]);
    expect(clock.set).toBe(0);
  });
});
