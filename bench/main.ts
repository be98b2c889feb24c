/**
 * Runs the benches named on the command line, all of them without a name, one after the other, each with a database and
 * servers of its own. Prints a table and one JSON line each; exits 1 when a figure misses its bound.
 */
import { type Bench, type Result, reached } from './bench.ts';
import { broadcast } from './broadcast.ts';
import { latency } from './latency.ts';
import { queues } from './queues.ts';
import { reassign } from './reassign.ts';
import { restart } from './restart.ts';
import { retries } from './retries.ts';
import { machineFacts } from './support/machine-facts.ts';
import { Room } from './support/room.ts';
import { throughput } from './throughput.ts';
import { waiting } from './waiting.ts';

const BENCHES: readonly Bench[] = [
  throughput,
  queues,
  latency,
  reassign,
  retries,
  waiting,
  restart,
  broadcast,
];

const given = process.argv.slice(2);
const profile = given.includes('--profile');
const names = given.filter((word) => word !== '--profile');
const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
if (unknown.length > 0) {
  const known = BENCHES.map((bench) => `  ${bench.name.padEnd(11)} ${bench.about}`).join('\n');
  process.stderr.write(`There is no bench ${unknown.join(', ')}. There are:\n${known}\n`);
  process.exit(2);
}

let current: Room | null = null;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void (current?.close() ?? Promise.resolve()).finally(() => process.exit(130));
  });
}

// A defect of a bench, too, leaves nothing running.
process.once('uncaughtException', (error) => {
  process.stderr.write(`${error.stack}\n`);
  void (current?.close() ?? Promise.resolve()).finally(() => process.exit(1));
});

let missed = 0;
for (const bench of BENCHES) {
  if (names.length > 0 && !names.includes(bench.name)) continue;
  const room = new Room({ name: bench.name, profile });
  current = room;
  try {
    const result = await within(bench.withinSeconds, bench.run(room));
    missed += result.figures.filter((figure) => !reached(figure)).length;
    await print(bench, result, await room.profiles());
  } finally {
    await room.close();
    current = null;
  }
}
process.exit(missed > 0 ? 1 : 0);

/** @throws Error when it takes longer: a bench is bounded in time. */
async function within<T>(seconds: number, doing: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`called off after ${seconds} s`)), seconds * 1000);
  });
  try {
    return await Promise.race([doing, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

async function print(bench: Bench, { figures, parts }: Result, notes: readonly string[]): Promise<void> {
  const lines = [`\n${bench.name} – ${bench.about}`];
  for (const figure of figures) {
    const { what, value, unit, atLeast, atMost } = figure;
    const bound = atLeast !== undefined ? `≥ ${atLeast}` : atMost !== undefined ? `≤ ${atMost}` : '';
    const verdict = bound === '' ? '' : reached(figure) ? 'reached' : 'MISSED';
    lines.push(
      `  ${what.padEnd(52)} ${`${shown(value)} ${unit}`.padStart(14)}   ${bound.padEnd(8)} ${verdict}`,
    );
  }
  for (const [name, part] of Object.entries(parts)) {
    lines.push(`  · ${name.padEnd(50)} ${typeof part === 'number' ? shown(part) : JSON.stringify(part)}`);
  }
  for (const note of notes) lines.push(`  ${note}`);
  const command = `npm run bench -- ${bench.name}${profile ? ' --profile' : ''}`;
  const machine = await machineFacts();
  lines.push(JSON.stringify({ bench: bench.name, figures, parts, machine, command }));
  process.stdout.write(`${lines.join('\n')}\n`);
}

function shown(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en');
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
