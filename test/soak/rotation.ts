/** The parts of a soak, turn after turn, until the time is over: every part has a turn, however short the time is. */
import type { SoakPart } from './part.ts';
import { Tally } from './tally.ts';

/** A turn of a part with weight 1 is no longer than this, ms, so that every part comes round now and again. */
const MOST_TURN_MS = 60_000;

export interface Rotation {
  readonly parts: readonly SoakPart[];
  readonly ms: number;
  readonly seed: number;
  now(): number;
  say(line: string): void;
}

/** Runs the parts in rotation for about `ms`; a part that throws is told of and goes on at its next turn. */
export async function rotate({ parts, ms, seed, now, say }: Rotation): Promise<Tally> {
  const tally = new Tally();
  const end = now() + ms;
  const weights = parts.reduce((sum, part) => sum + part.weight, 0);
  const unit = Math.min(MOST_TURN_MS, ms / weights);
  for (let round = 0; round === 0 || now() < end; round++) {
    for (const [n, part] of parts.entries()) {
      if (round > 0 && now() >= end) break;
      const began = now();
      const turn = {
        ms: Math.min(unit * part.weight, round === 0 ? Number.POSITIVE_INFINITY : end - began),
        seed: seed + round * parts.length + n,
        now,
        say: (line: string) => say(`${part.name}: ${line}`),
      };
      try {
        const outcome = await part.run(turn);
        tally.add(part.name, outcome, now() - began);
        for (const violation of outcome.violations) turn.say(`VIOLATION ${violation}`);
        turn.say(`${((now() - began) / 1000).toFixed(0)} s, ${told(outcome.counters)}`);
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        tally.add(part.name, { counters: {}, violations: [`could not go on: ${text}`] }, now() - began);
        turn.say(`could not go on: ${text}`);
      }
    }
  }
  return tally;
}

function told(counters: Readonly<Record<string, number>>): string {
  return Object.entries(counters)
    .map(([name, n]) => `${name} ${Number.isInteger(n) ? n : n.toFixed(1)}`)
    .join(', ');
}
