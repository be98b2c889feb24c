/** What a bench is: something that measures the built server in a room of its own, and says what must be reached. */
import type { Room } from './support/room.ts';

/** A measured value with its bound: the contract of the issue "Core", table "How fast, how small". */
export interface Figure {
  readonly what: string;
  readonly value: number;
  /** `x` ratio, `ms`, `s`, `MB`, `count`. */
  readonly unit: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Result {
  readonly figures: readonly Figure[];
  /** What the figures are made of: numbers, texts, arrays of them. For the table and the JSON line. */
  readonly parts: Readonly<Record<string, unknown>>;
}

export interface Bench {
  readonly name: string;
  /** What is measured, in one line. */
  readonly about: string;
  /** It is called off after this long, s. */
  readonly withinSeconds: number;
  run(room: Room): Promise<Result>;
}

/** Whether the value keeps its bounds. */
export function reached({ value, atLeast, atMost }: Figure): boolean {
  return (atLeast === undefined || value >= atLeast) && (atMost === undefined || value <= atMost);
}
