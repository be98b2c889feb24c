/** `baton demo`: the demo of a first start, on a server that runs already. */
import { type Command, SERVER_FLAGS, wholeFlag } from './command.ts';
import { Demo, FIRST_ISSUES, MORE_EVERY_MS } from './demo/demo.ts';
import { endingOf } from './demo/ending.ts';
import { heldBack } from './demo/held-back.ts';
import { goingOn, interruptedDemo, leftIn, leftText } from './demo/interrupted.ts';
import type { Moment } from './demo/moment.ts';
import { INTERRUPTED } from './failure.ts';
import { clockTime } from './issue-text.ts';
import { clientOf, targetOf } from './server.ts';
import { emit, paint, plain, say } from './terminal.ts';
import { aborted } from './waits.ts';

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
    'One that was interrupted is gone on with until what was left of it is over.\n' +
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
      const told = ({ what, issue, text }: Pick<Moment, 'what' | 'issue' | 'text'>) => {
        emit(terminal, { at: clock.now(), event: what, issue, text });
        say(terminal, `${paint(terminal, 'dim', clockTime(clock.now()))}  ${plain(text)}`);
      };
      const later = heldBack(told);
      const options = { client, url: target.url, token: target.token, clock, issues, told: later.told };
      const left = await interruptedDemo(client.http);
      const demo = await (left === null ? Demo.start(options) : Demo.resume(options, left));
      const { prefix } = demo.company;
      const text =
        left === null ? beginning(prefix, issues) : goingOn(prefix, left.issues.length, 'Ctrl-C leaves them');
      told({ what: 'begun', issue: null, text });
      later.release();
      try {
        await Promise.race([demo.over, aborted(signal)]);
      } finally {
        await demo.stop();
      }
      if (!signal.aborted) {
        told({
          what: 'over',
          issue: null,
          text: `The demo is ${await endingOf(client.http, demo.company)}.`,
        });
        return 0;
      }
      const n = await leftIn(client.http, demo.company, clock);
      if (n > 0) {
        const goOn = 'baton demo goes on with them';
        told({ what: 'interrupted', issue: null, text: `Interrupted: ${leftText(prefix, n)}; ${goOn}.` });
      }
      return INTERRUPTED;
    } finally {
      client.close();
    }
  },
};

function beginning(prefix: string, issues: number): string {
  const more =
    issues > FIRST_ISSUES ? ` One more comes every ${MORE_EVERY_MS / 1000} s, ${issues} in all.` : '';
  return `Three agents are working on ${FIRST_ISSUES} issues of company ${prefix}.${more}`;
}
