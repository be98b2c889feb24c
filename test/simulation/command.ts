/**
 * `npm run sim -- [--seed N] [--histories M] [--mutant NAME] [--mutants]`: runs histories from a seed on, prints what
 * the checks found with the trace, and figures.
 */
import { parseArgs } from 'node:util';
import { runHistory } from './history.ts';
import { MUTANTS } from './mutants/mutants.ts';
import { printMutants } from './mutants/table.ts';
import { report } from './report.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    histories: { type: 'string', default: '1' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    trace: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

if (values.mutants) {
  process.exitCode = (await printMutants(console.log)) ? 0 : 1;
} else {
  const mutant = values.mutant === undefined ? null : MUTANTS.find((m) => m.name === values.mutant);
  if (mutant === undefined) {
    console.error(`no mutant ${values.mutant}; there are: ${MUTANTS.map((m) => m.name).join(', ')}`);
    process.exit(2);
  }
  const first = Number(values.seed);
  const count = Number(values.histories);
  const began = performance.now();
  const sum = { simulated: 0, versions: 0, steps: 0, failed: 0 };
  const faults: Record<string, number> = {};
  const checks: Record<string, number> = {};
  for (let seed = first; seed < first + count; seed++) {
    const history = await runHistory(seed, mutant);
    sum.simulated += history.simulatedMs;
    sum.versions += history.versions;
    sum.steps += history.steps;
    for (const [name, n] of Object.entries(history.faults)) faults[name] = (faults[name] ?? 0) + n;
    if (values.trace) console.log(history.trace.join('\n'));
    if (history.findings.length === 0) continue;
    sum.failed++;
    for (const name of new Set(history.findings.map((f) => f.check))) checks[name] = (checks[name] ?? 0) + 1;
    if (values.keep) {
      console.log(
        `seed ${seed}: ${history.findings.length} findings; ${history.findings[0]!.check} ${history.findings[0]!.text}`,
      );
      continue;
    }
    console.log(report(history));
    break;
  }
  const ms = performance.now() - began;
  console.log(
    `${count} histories from seed ${first}: ${sum.failed} failed; ${(sum.simulated / 3_600_000).toFixed(1)} simulated hours, ` +
      `${sum.versions} versions, ${sum.steps} steps, ${(ms / count).toFixed(1)} ms each`,
  );
  console.log('faults', JSON.stringify(faults), 'failing checks', JSON.stringify(checks));
  process.exitCode = sum.failed > 0 ? 1 : 0;
}
