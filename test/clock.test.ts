/** The clock over a source of time: anchored to the database, whatever the wall clock says (A6). */
import { describe, expect, it } from 'vitest';
import { clockOver } from '../src/clock.ts';

function source(wall: number) {
  const time = { wall, monotonic: 0 };
  const waiting: { f: () => void; at: number }[] = [];
  return {
    time,
    clock: clockOver({
      wall: () => time.wall,
      monotonic: () => time.monotonic,
      timeout(f, ms) {
        const one = { f, at: time.monotonic + ms };
        waiting.push(one);
        return () => waiting.splice(waiting.indexOf(one), 1);
      },
    }),
    pass(ms: number) {
      time.monotonic += ms;
      for (const one of waiting.filter(({ at }) => at <= time.monotonic)) {
        waiting.splice(waiting.indexOf(one), 1);
        one.f();
      }
    },
  };
}

const DAY_MS = 86_400_000;

describe('a clock', () => {
  it('follows the database at once though the wall clock was a day ahead when it was first asked', () => {
    const { clock } = source(1_000_000 + DAY_MS);
    expect(clock.now()).toBe(1_000_000 + DAY_MS);
    clock.anchor(1_000_000, 0);
    expect(clock.now()).toBe(1_000_000);
  });

  it('never goes back once it is anchored', () => {
    const { clock, pass } = source(0);
    clock.anchor(5000, 0);
    expect(clock.now()).toBe(5000);
    clock.anchor(4000, 0);
    expect(clock.now()).toBe(5000);
    pass(1500);
    expect(clock.now()).toBe(5500);
  });

  it('does not hear of the wall clock again', () => {
    const { clock, pass, time } = source(0);
    clock.anchor(5000, 0);
    time.wall += DAY_MS;
    pass(1000);
    expect(clock.now()).toBe(6000);
  });

  it('waits for a due time of any distance and is never early', () => {
    const { clock, pass } = source(0);
    clock.anchor(0, 0);
    const fired: number[] = [];
    clock.at(40 * DAY_MS, () => fired.push(clock.now()));
    for (let day = 0; day < 41; day++) pass(DAY_MS);
    expect(fired).toEqual([40 * DAY_MS]);
  });

  it('waits on where a timeout fires a little early', () => {
    const { clock, pass } = source(0);
    clock.anchor(0, 0);
    let fired = false;
    clock.at(1000, () => {
      fired = true;
    });
    clock.anchor(-1, 0);
    pass(1000);
    expect(fired).toBe(false);
    pass(1);
    expect(fired).toBe(true);
  });
});
