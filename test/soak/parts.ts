/** Every part of a soak, in the order of their turns. */
import { equivalencePart } from '../contract/equivalence.ts';
import { fuzzPart } from '../fuzz/soak-part.ts';
import { processesPart } from '../processes/soak-part.ts';
import { mutantsPart, simulationPart } from '../simulation/soak-parts.ts';
import type { SoakPart } from './part.ts';

export const PARTS: readonly SoakPart[] = [
  simulationPart,
  mutantsPart,
  equivalencePart,
  fuzzPart,
  processesPart,
];
