/**
 * A deliberate defect that the simulation cannot show or does not show alone – it takes a real database, a real buffer, a
 * gateway on a real socket –: a scenario is run with it and without. Like the simulation's mutants it patches from outside;
 * production code has no switch for it.
 */
export interface ScenarioMutant {
  readonly name: string;
  /** What is broken, in a sentence. */
  readonly breaks: string;
  /** The promise that the scenario is about. */
  readonly killedBy: string;
  readonly scenario: Scenario;
  /** Answers the way back. */
  readonly patch: () => () => void;
}

export interface Scenario {
  /** Two or three words, for the table. */
  readonly name: string;
  /** The folder of the tests that ask it too. */
  readonly tests: string;
  /** What goes wrong, a sentence each; nothing where all is well. */
  readonly run: () => Promise<string[]>;
}
