/** A failing history in words: what was found, the end of its trace, and how to run it again. */
import type { History } from './history.ts';

const MOST_FINDINGS = 20;

export function report(history: History): string {
  const { seed, plan, findings, trace, mutant } = history;
  return [
    `seed ${seed} (${plan.shape}, ${plan.nodes} nodes) breaks ${findings.length} times:`,
    ...findings.slice(0, MOST_FINDINGS).map(({ check, text }) => `  ${check}: ${text}`),
    `the last ${trace.length} lines of its trace:`,
    ...trace.map((line) => `  ${line}`),
    `run it again: npm run sim -- --seed ${seed}${mutant === null ? '' : ` --mutant ${mutant}`}`,
  ].join('\n');
}
