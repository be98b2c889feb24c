/** Each mutant is killed by its named check on a pinned seed, and the code as it is passes the same seeds. */
import { describe, expect, it } from 'vitest';
import { SCENARIO_MUTANTS } from '../../mutants/scenario-mutants.ts';
import { sectionOf, tableOf, textOfFile } from '../../support/markdown.ts';
import { CHECKS } from '../checks/checks.ts';
import { runHistory } from '../history.ts';
import { MUTANTS } from './mutants.ts';
import { kill } from './table.ts';

/** Where no pinned seed shows it any more, others are tried. */
const MOST_MS = 240_000;

describe('a mutant', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s is killed',
    async (_name, mutant) => {
      const killed = await kill(mutant);
      expect(killed.by, `${mutant.breaks}: no finding of ${mutant.killedBy}`).toContain(mutant.killedBy);
      expect(killed.seed).not.toBeNull();
    },
    MOST_MS,
  );

  it('is there for every check', () => {
    expect(new Set(MUTANTS.map((mutant) => mutant.killedBy))).toEqual(new Set(Object.keys(CHECKS)));
  });

  it('stands in docs/guarantees.md beside its promise', () => {
    const rows = tableOf(sectionOf(textOfFile('docs/guarantees.md'), '## What fails when it is broken'));
    const named = rows.flatMap(([promise, , names]) =>
      [...names!.matchAll(/`([\w-]+)`/g)].map(([, name]) => `${promise} ${name}`),
    );
    const promised = [...MUTANTS, ...SCENARIO_MUTANTS].filter(({ killedBy }) => killedBy.startsWith('P'));
    expect(named.sort()).toEqual(promised.map(({ killedBy, name }) => `${killedBy} ${name}`).sort());
  });

  it(
    'is what is found: the code as it is passes the same seeds',
    async () => {
      for (const { name, breaks, killedBy, plan, seeds } of MUTANTS) {
        const sound = plan ? { name, breaks, killedBy, plan, seeds } : null;
        for (const seed of seeds) {
          const { findings } = await runHistory(seed, sound);
          expect(findings, `seed ${seed} as for ${name}`).toEqual([]);
        }
      }
    },
    MOST_MS,
  );
});
