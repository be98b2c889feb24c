/** `baton replay [FILE]`: an event log of a real service desk, played through the public protocol and checked. */

import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, SERVER_FLAGS, wholeFlag } from './command.ts';
import { INTERRUPTED } from './failure.ts';
import { hostOf } from './replay/host.ts';
import { readIncidents } from './replay/incident-log.ts';
import { plan } from './replay/plan.ts';
import { replay } from './replay/replay.ts';
import { tell } from './replay/report.ts';
import { type MakeServer, makeServer } from './runtime.ts';
import { say } from './terminal.ts';

const EXAMPLE = fileURLToPath(new URL('../../examples/incidents.csv.gz', import.meta.url));

/** @param make only tests hand in another */
export function replayCommand(make: MakeServer = makeServer): Command {
  return {
    name: 'replay',
    summary: 'play a service-desk event log and check every final state',
    usage: '[FILE]',
    takes: [0, 1],
    about:
      'FILE is CSV (or .csv.gz) with the columns number, incident_state, assigned_to, assignment_group, priority,\n' +
      'sys_mod_count, sys_updated_at, in any order; without it the example log is played. One agent and one worker session\n' +
      'for each assignee. Plays on the server named by --url or BATON_URL, else on the one running here, else on one of its\n' +
      'own, in --data-dir or a temporary directory.',
    flags: [{ name: 'limit', value: 'N', meaning: 'only the first N incidents' }, ...SERVER_FLAGS],
    examples: [
      'baton replay',
      'baton replay incident_event_log.csv --limit 1000',
      'baton replay --json | jq .wrong',
    ],
    async run(call) {
      const limit = wholeFlag(call, 'limit', { least: 1 });
      const file = call.args[0] === undefined ? EXAMPLE : resolve(call.cwd, call.args[0]);
      const incidents = await readIncidents(file, limit);
      const plans = incidents.map(plan);
      const rows = incidents.reduce((sum, { rows: some }) => sum + some.length, 0);
      const host = await hostOf(call, make);
      try {
        say(
          call.terminal,
          `Playing ${incidents.length} incidents (${rows} rows) of ${file} on ${host.what}.`,
        );
        const report = await replay(call, host, plans, rows);
        tell(call.terminal, report);
        return report.wrong === 0 ? 0 : 1;
      } catch (error) {
        if (call.signal.aborted) {
          const then = host.keeps
            ? `What was played until now stays on ${host.what}.`
            : 'Nothing of it is kept.';
          say(call.terminal, `Interrupted. ${then}`);
          return INTERRUPTED;
        }
        throw error;
      } finally {
        await host.stop();
      }
    },
  };
}
