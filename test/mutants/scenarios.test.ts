/** Defects that have no test of their own elsewhere: each scenario finds its own, and nothing in the code as it is. */
import { describe } from 'vitest';
import { DATA_DIR_MUTANTS } from './data-dir-mutants.ts';
import { DATABASE_MUTANTS } from './database-mutants.ts';
import { areKilled, findNothing } from './killed.ts';
import { TAKEOVER_MUTANTS } from './takeover-mutants.ts';

const MUTANTS = [...DATABASE_MUTANTS, ...TAKEOVER_MUTANTS, ...DATA_DIR_MUTANTS];

describe('scenarios', () => {
  areKilled(MUTANTS);
  findNothing(MUTANTS);
});
