/** Defects that only a real database shows: each scenario finds its own, and nothing in the code as it is. */
import { describe } from 'vitest';
import { DATABASE_MUTANTS } from './database-mutants.ts';
import { areKilled, findNothing } from './killed.ts';

describe('scenarios on a real database', () => {
  areKilled(DATABASE_MUTANTS);
  findNothing(DATABASE_MUTANTS);
});
