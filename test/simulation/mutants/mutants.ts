/** Every mutant. A check that no mutant fails is no check. */
import { GATEWAY_MUTANTS } from './gateway-mutants.ts';
import { KIND_MUTANTS } from './kind-mutants.ts';
import type { Mutant } from './mutant.ts';
import { NODE_MUTANTS } from './node-mutants.ts';
import { STORE_MUTANTS } from './store-mutants.ts';
import { TIME_MUTANTS } from './time-mutants.ts';

export const MUTANTS: readonly Mutant[] = [
  ...STORE_MUTANTS,
  ...KIND_MUTANTS,
  ...NODE_MUTANTS,
  ...TIME_MUTANTS,
  ...GATEWAY_MUTANTS,
];
