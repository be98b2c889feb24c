/**
 * A deliberate defect that only a real database or a real buffer can show: a scenario is run with it and without. Like the
 * simulation's mutants it patches from outside; production code has no switch for it.
 */
export interface ScenarioMutant {
  readonly name: string;
  /** What is broken, in a sentence. */
  readonly breaks: string;
  /** The promise that the scenario is about. */
  readonly killedBy: string;
  /** What goes wrong, a sentence each; nothing where all is well. */
  readonly scenario: () => Promise<string[]>;
  /** Answers the way back. */
  readonly patch: () => () => void;
}
