/** The simulation and what it runs as plain JavaScript, for threads and processes of their own. */
import { compiled } from '../../scripts/compiled.mjs';

/** @returns the URL of the compiled test/simulation/. */
export function compiledSimulation() {
  return compiled('test/simulation');
}
