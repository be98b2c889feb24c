/** `baton demo`: the demo of a first start, on a server that runs already. */
import { type Command, SERVER_FLAGS, wholeFlag } from './command.ts';
import { Demo, FIRST_ISSUES, MORE_EVERY_MS } from './demo/demo.ts';
import { endingOf } from './demo/ending.ts';
import { INTERRUPTED } from './failure.ts';
import { timeOf } from './issue-text.ts';
import { clientOf, targetOf } from './server.ts';
import { emit, paint, plain, say } from './terminal.ts';

export const demoCommand: Command = {
  name: 'demo',
  summary: 'let three agents work on real incidents, with what goes wrong on real days',
  usage: '[options]',
  takes: [0, 0],
  about:
    'A company DEMO with three agents, whose workers are `baton work` in processes of their own. One calls a service that\n' +
    'is often busy, so retries count down; one issue is reassigned out of its backoff; one worker is killed, and its run\n' +
    'is taken over. The jobs are small and real: checksums and checks of the installed files. When all issues are over it\n' +
    'ends; nothing is left running, and the company stays with all that happened.\n' +
    'Retry delays and leases are shorter than the defaults: settings of these agents, see `baton agents`.',
  flags: [
    {
      name: 'issues',
      value: 'N',
      meaning: `so many issues in all, from ${FIRST_ISSUES} to 1000 (default 24)`,
    },
    ...SERVER_FLAGS,
  ],
  examples: ['baton demo', 'baton demo --issues 100 --url http://127.0.0.1:4310'],
  async run(call) {
    const { terminal, clock, signal } = call;
    const issues = wholeFlag(call, 'issues', { least: FIRST_ISSUES, most: 1000 }) ?? FIRST_ISSUES;
    const target = targetOf(call);
    const client = await clientOf(call, target);
    try {
      const told = (text: string) => {
        emit(terminal, { at: clock.now(), text });
        say(terminal, `${paint(terminal, 'dim', timeOf(clock.now()))}  ${plain(text)}`);
      };
      const demo = await Demo.start({ client, url: target.url, token: target.token, clock, issues, told });
      const more =
        issues > FIRST_ISSUES ? ` One more comes every ${MORE_EVERY_MS / 1000} s, ${issues} in all.` : '';
      told(`Three agents are working on ${FIRST_ISSUES} issues of company ${demo.company.prefix}.${more}`);
      try {
        await Promise.race([demo.over, interrupted(signal)]);
      } finally {
        await demo.stop();
      }
      if (signal.aborted) return INTERRUPTED;
      told(`The demo is ${await endingOf(client.http, demo.company)}.`);
      return 0;
    } finally {
      client.close();
    }
  },
};

function interrupted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
