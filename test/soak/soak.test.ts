/** The soak's own doing: turns, sums, the closing report. What its parts find is the parts' business. */
import { describe, expect, it } from 'vitest';
import { main } from './command.ts';
import type { SoakOutcome, SoakPart, SoakTurn } from './part.ts';
import { PARTS } from './parts.ts';
import { rotate } from './rotation.ts';

/** A part that takes all its time and answers this. */
function part(name: string, weight: number, outcome: Partial<SoakOutcome>, clock: { now: number }) {
  const turns: SoakTurn[] = [];
  const made: SoakPart = {
    name,
    about: `does ${name}`,
    weight,
    run: async (turn) => {
      turns.push(turn);
      clock.now += turn.ms;
      return { counters: {}, violations: [], ...outcome };
    },
  };
  return { made, turns };
}

function rotation(parts: readonly SoakPart[], ms: number, clock: { now: number }, lines: string[] = []) {
  return rotate({ parts, ms, seed: 7, now: () => clock.now, say: (line) => lines.push(line) });
}

describe('a soak', () => {
  it('gives every part a turn, by weight, with another seed each time', async () => {
    const clock = { now: 0 };
    const heavy = part('heavy', 3, {}, clock);
    const light = part('light', 1, {}, clock);
    await rotation([heavy.made, light.made], 20 * 60_000, clock);
    expect(heavy.turns[0]!.ms).toBe(3 * light.turns[0]!.ms);
    expect(heavy.turns.length).toBeGreaterThan(1);
    const seeds = [...heavy.turns, ...light.turns].map(({ seed }) => seed);
    expect(new Set(seeds).size).toBe(seeds.length);
    expect(clock.now).toBe(20 * 60_000);
  });

  it('gives every part its first turn also when one takes longer than it should', async () => {
    const clock = { now: 0 };
    const slow: SoakPart = {
      ...part('slow', 1, {}, clock).made,
      run: async () => {
        clock.now += 600_000;
        return { counters: {}, violations: [] };
      },
    };
    const last = part('last', 1, {}, clock);
    await rotation([slow, last.made], 60_000, clock);
    expect(last.turns).toHaveLength(1);
  });

  it('adds up what its parts count and closes with one line', async () => {
    const clock = { now: 0 };
    const one = part(
      'one',
      1,
      { counters: { acknowledged: 1000, faults: 2 }, samples: { takeover: [5, 7] } },
      clock,
    );
    const two = part('two', 1, { counters: { acknowledged: 500 }, samples: { takeover: [900] } }, clock);
    const tally = await rotation([one.made, two.made], 1000, clock);
    const report = tally.report();
    expect(report.at(-1)).toBe(
      'soak: 0 histories simulated, 1,500 events acknowledged, 2 faults, 3 takeovers, lost 0, 0 violations',
    );
    expect(report).toContain('takeover ms: p50 7, p99 900, max 900 of 3');
    expect(report[0]).toBe('one: 1 turns, 0.0 min, 0 violations; acknowledged 1,000, faults 2');
  });

  it('says how many histories were simulated, what one costs and what share of a million they are', async () => {
    const clock = { now: 0 };
    const one = part('simulation', 1, { counters: { histories: 12_500, 'core seconds': 400 } }, clock);
    const report = (await rotation([one.made], 120_000, clock)).report();
    expect(report).toContain('histories: 25,000, 32.0 ms of a core each, 2.5 % of a million');
    expect(report.at(-1)).toContain('soak: 25,000 histories simulated, ');
  });

  it('counts a part that throws as a violation and goes on with the others', async () => {
    const clock = { now: 0 };
    const broken: SoakPart = {
      ...part('broken', 1, {}, clock).made,
      run: async () => {
        clock.now += 10_000;
        throw new Error('no database');
      },
    };
    const sound = part('sound', 1, {}, clock);
    const tally = await rotation([broken, sound.made], 1000, clock);
    expect(sound.turns).toHaveLength(1);
    expect(tally.violations).toEqual([
      expect.stringContaining('broken: could not go on: Error: no database'),
    ]);
  });
});

describe('the soak command', () => {
  async function soak(args: string[], parts: readonly SoakPart[] = PARTS) {
    const lines: string[] = [];
    const code = await main(args, parts, (line) => lines.push(line));
    return { code, text: lines.join('\n') };
  }

  it('lists its parts', async () => {
    const { code, text } = await soak(['--list']);
    expect(code).toBe(0);
    for (const { name } of PARTS) expect(text).toContain(`${name}: `);
    expect(new Set(PARTS.map(({ name }) => name)).size).toBe(PARTS.length);
  });

  it('fails when a promise was broken, and runs only what it is asked for', async () => {
    const run = async () => ({ counters: { lost: 1 }, violations: ['event 7 is not there'] });
    const parts = [
      { name: 'bad', about: 'loses', weight: 1, run },
      { name: 'good', about: 'keeps', weight: 1, run: async () => ({ counters: {}, violations: [] }) },
    ];
    const bad = await soak(['--minutes', '0.0001', '--only', 'bad'], parts);
    expect(bad.code).toBe(1);
    expect(bad.text).toContain('bad: event 7 is not there');
    const good = await soak(['--minutes', '0.0001', '--only', 'good'], parts);
    expect(good.code).toBe(0);
    expect(good.text).not.toContain('bad');
  });

  it.each([[['--minutes', 'soon']], [['--minutes', '0']], [['--seed', 'x']], [['--only', 'nothing']]])(
    'says what it takes when it is asked %j',
    async (args) => {
      expect((await soak(args)).code).toBe(2);
    },
  );
});
