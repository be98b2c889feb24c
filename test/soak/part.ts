/**
 * What a soak is made of: a check that can go on for as long as it is given. Each part lives beside what it checks and is
 * listed in `parts.ts`; it is also a test with a fixed count, so that `npm test` and a soak run the same code.
 *
 * A part runs on plain Node, compiled: it must not import `vitest`. Its working directory is the root of the tree, where
 * `dist/` is built; its own place (`import.meta.url`) is not in the tree.
 */
export interface SoakPart {
  /** One word, as `--only` and the report have it. */
  readonly name: string;
  /** What it does, in half a sentence. */
  readonly about: string;
  /** Its share of the time, relative to the others'. */
  readonly weight: number;
  /** Goes on for about `turn.ms`, at least for one unit of its work. A throw counts as a violation. */
  run(turn: SoakTurn): Promise<SoakOutcome>;
}

export interface SoakTurn {
  /** How long to go on, ms. */
  readonly ms: number;
  /** Another one each turn; the same seed does the same. */
  readonly seed: number;
  /** The monotonic clock, ms. */
  now(): number;
  /** A line for whoever watches. */
  say(line: string): void;
}

export interface SoakOutcome {
  /**
   * Added up over all turns and parts of the same name. The closing report names these first: `acknowledged` (events that
   * were answered `ok`), `faults` (crashes, stops, cuts …), `lost` (acknowledged events that are not there), `histories`
   * (simulated) and the `core seconds` they took.
   */
  readonly counters: Readonly<Record<string, number>>;
  /** Pooled over all turns, ms; the report shows p50, p99 and max. `takeover`: from the fault to the first commit after it. */
  readonly samples?: Readonly<Record<string, readonly number[]>>;
  /** What broke a promise, a sentence each, with the command that shows it again. */
  readonly violations: readonly string[];
}
