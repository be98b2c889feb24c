/** Each mutant is killed by its named check on a pinned seed, and the code as it is passes the same seeds. */
import { describe, expect, it } from 'vitest';
import { sectionOf, tableOf, textOfFile } from '../../support/markdown.ts';
import { CHECKS } from '../checks/checks.ts';
import { runHistory } from '../history.ts';
import { MUTANTS } from './mutants.ts';
import { kill, printMutants, ROWS, type Row } from './table.ts';

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

  it('stands in docs/guarantees.md beside its promise, and beside a command that asks the check', () => {
    const rows = tableOf(sectionOf(textOfFile('docs/guarantees.md'), '## What fails when it is broken'));
    const named = rows.flatMap(([promise, , names]) =>
      [...names!.matchAll(/`([\w-]+)`/g)].map(([, name]) => `${promise} ${name}`),
    );
    const promised = ROWS.filter(({ check }) => check.startsWith('P'));
    expect(named.sort()).toEqual([...new Set(promised.map(({ check, name }) => `${check} ${name}`))].sort());
    for (const { name, check, asked } of promised) {
      const commands = rows.find(([promise]) => promise === check)![1]!;
      expect(commands, `${check} ${name}`).toContain(asked);
    }
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

describe('the table of mutants', () => {
  const row = (name: string, kill: Row['kill']): Row => ({
    name,
    breaks: 'is broken',
    check: 'P3',
    asked: '',
    kill,
  });
  const dies = row('dies', async () => ({ text: 'an event is lost', where: 'seed 1', also: ['P9'] }));

  async function printed(...rows: Row[]) {
    const lines: string[] = [];
    const all = await printMutants((line) => lines.push(line), rows);
    return { all, lines };
  }

  it('names the check that killed each, where, and what it said', async () => {
    const { all, lines } = await printed(dies, dies);
    expect(all).toBe(true);
    expect(lines[0]).toMatch(/^dies {2}P3 +seed 1 +\d+ ms {2}is broken; also P9$/);
    expect(lines[1]!.trim()).toBe('an event is lost');
    expect(lines.at(-1)).toContain('2 rows of 1 mutants, all killed');
  });

  it('fails the command when a mutant lives', async () => {
    const { all, lines } = await printed(
      dies,
      row('survivor', async () => ({ ...(await dies.kill()), text: null })),
    );
    expect(all).toBe(false);
    expect(lines[2]).toMatch(/^survivor {2}LIVES \(P3\)/);
    expect(lines.at(-1)).toContain('1 not killed');
  });

  it('fails the command when a check could not be asked, and asks the others', async () => {
    const broken = row('broken', () => Promise.reject(new Error('no PostgreSQL')));
    const { all, lines } = await printed(broken, dies);
    expect(all).toBe(false);
    expect(lines[0]).toContain('LIVES (P3) could not be asked: Error: no PostgreSQL');
    expect(lines[1]).toContain('dies');
  });
});
