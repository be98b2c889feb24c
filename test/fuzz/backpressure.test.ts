/** A reader of nothing holds no more than what makes it slow, and one frame; and a server without backpressure is found (P11). */
import { describe } from 'vitest';
import { areKilled, findNothing } from '../mutants/killed.ts';
import { READER_MUTANTS } from '../mutants/reader-mutants.ts';

describe('readers that take nothing', () => {
  areKilled(READER_MUTANTS);
  findNothing(READER_MUTANTS);
});
