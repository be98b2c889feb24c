/** `baton bench`: what this server, or one of its own, does a second. */
import { cpus } from 'node:os';
import { VERSION } from '../version.ts';
import { measure } from './bench/bench.ts';
import { type Command, SERVER_FLAGS, wholeFlag } from './command.ts';
import { INTERRUPTED } from './failure.ts';
import { hostOf } from './replay/host.ts';
import { type MakeServer, makeServer } from './runtime.ts';
import { emit, paint, plain, say } from './terminal.ts';

const SECONDS = 5;

/** @param make only tests hand in another */
export function benchCommand(make: MakeServer = makeServer): Command {
  return {
    name: 'bench',
    summary: 'measure latency, throughput and whole lives of issues, shortly',
    usage: '[options]',
    takes: [0, 0],
    about:
      'On the server named by --url or BATON_URL, else on the one running here, else on one of its own in a temporary\n' +
      'directory. On a server that runs, a company BENCH with its issues is left behind, and what else it does counts, too.\n' +
      'Client and server share the machine: the figures are of both. docs/benchmarks.md has more, and how it was measured.',
    flags: [
      {
        name: 'seconds',
        value: 'N',
        meaning: `each of the three parts takes so long, 1 to 60 (default ${SECONDS})`,
      },
      ...SERVER_FLAGS,
    ],
    examples: ['baton bench', 'baton bench --seconds 20 --json | jq .throughput'],
    async run(call) {
      const { terminal } = call;
      const seconds = wholeFlag(call, 'seconds', { least: 1, most: 60 }) ?? SECONDS;
      const host = await hostOf(call, make);
      try {
        const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, node ${process.versions.node}`;
        say(terminal, `Measuring ${host.what} for about ${3 * seconds} s (${plain(machine)}).`);
        const measured = await measure(call, host, seconds);
        emit(terminal, { ...measured, version: VERSION, machine, server: host.what });
        const { latencyMs, throughput, lifecycle, rateLimited } = measured;
        const n = (value: number) => value.toLocaleString('en').replaceAll(',', ' ');
        const rows: [string, string][] = [
          [
            'one event',
            `p50 ${latencyMs.p50} ms, p99 ${latencyMs.p99} ms (${n(latencyMs.events)}, one after the other)`,
          ],
          [
            'many at once',
            `${n(throughput.eventsPerSecond)} events/s, p99 ${throughput.p99Ms} ms (256 under way)`,
          ],
          ['whole lives', `${n(lifecycle.issuesPerSecond)} issues/s from birth over a grant to done`],
        ];
        for (const [name, text] of rows)
          say(terminal, `  ${paint(terminal, 'dim', name.padEnd(14))} ${text}`);
        if (rateLimited > 0) {
          say(
            terminal,
            `  ${n(rateLimited)} events were refused by the rate limit: --rate-limit off shows what the server can.`,
          );
        }
        return 0;
      } catch (error) {
        if (call.signal.aborted) return INTERRUPTED;
        throw error;
      } finally {
        await host.stop();
      }
    },
  };
}
