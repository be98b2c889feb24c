/**
 * The demo of a first start: only in an empty embedded database, and unless somebody said `--no-demo`. With
 * --print-ready a program started the server, so there it takes `--demo`. One that was interrupted is gone on with at the
 * next start, on the same conditions but that of the empty database.
 */
import { connect } from '../client/client.ts';
import type { HttpApi } from '../client/http.ts';
import type { Settings } from '../config.ts';
import type { Call } from './command.ts';
import { Demo, type DemoOptions, FIRST_ISSUES, MORE_EVERY_MS } from './demo/demo.ts';
import { endingOf } from './demo/ending.ts';
import { heldBack } from './demo/held-back.ts';
import { goingOn, type Interrupted, interruptedDemo, leftIn, leftText } from './demo/interrupted.ts';
import { type Moment, trouble } from './demo/moment.ts';
import type { RunningServer, Step } from './runtime.ts';

/** Goes on for some minutes, so that whoever looks a while later sees it at work. */
const ISSUES = 100;

export interface FirstDemo {
  /** Safe to repeat. Says what is left, if it is not over. */
  stop(): Promise<void>;
}

interface Heard {
  /** What it does, and that it is over or interrupted. */
  say(step: Step): void;
  /** What happens in it. */
  told(moment: Moment): void;
}

type Playing = Pick<Demo, 'company' | 'over' | 'stop'>;
interface Stage {
  start(options: DemoOptions): Promise<Playing>;
  resume(options: DemoOptions, left: Interrupted): Promise<Playing>;
}

/**
 * Null: there is none.
 * @param stage only tests hand in another
 */
export async function firstDemo(
  call: Call,
  settings: Settings,
  server: RunningServer,
  { say, told }: Heard,
  stage: Stage = Demo,
): Promise<FirstDemo | null> {
  const { demo: wanted, printReady, databaseUrl } = settings;
  if (wanted === false || (printReady && wanted !== true)) return null;
  const refuse = (why: string) => {
    if (wanted === true) say({ name: 'demo', text: `not run: ${why}; \`baton demo\` runs it`, ms: null });
    return null;
  };
  if (databaseUrl !== null) return refuse('DATABASE_URL is yours to fill');
  const { clock, random: chance } = call;
  const { url, token } = server;
  const client = await connect({
    url,
    token,
    clock,
    chance,
    client: { name: 'baton-demo', version: '0.1.0' },
  });
  try {
    const { http } = client;
    const left = await interruptedDemo(http);
    if (left === null && !(await isEmpty(http))) {
      client.close();
      return refuse('the database has content');
    }
    const begun = clock.monotonic();
    const later = heldBack(told);
    const options = { client, url, token, clock, issues: ISSUES, told: later.told };
    const demo = await (left === null ? stage.start(options) : stage.resume(options, left));
    const { prefix } = demo.company;
    const tell = (text: string, ms: number | null = null) => say({ name: 'demo', text, ms });
    if (left !== null) tell(goingOn(prefix, left.issues.length, '--no-demo leaves them'));
    else for (const text of BEGUN) tell(text);
    later.release();
    let isOver = false;
    const end = async () => {
      await demo.stop();
      const n = isOver ? 0 : await leftIn(http, demo.company, clock);
      if (n > 0) tell(`interrupted: ${leftText(prefix, n)}; the next start goes on with them`);
      client.close();
    };
    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= end();
      return stopping;
    };
    void demo.over
      .then(() => {
        isOver = true;
        return endingOf(http, demo.company);
      })
      .then((ending) => tell(ending, clock.monotonic() - begun))
      .catch((error: unknown) => told(trouble(String(error))))
      .then(stop);
    return { stop };
  } catch (error) {
    client.close();
    throw error;
  }
}

const BEGUN = [
  `3 agents are working on ${FIRST_ISSUES} issues, each a real child process  (--no-demo to skip)`,
  `one issue more every ${MORE_EVERY_MS / 1000} s until there are ${ISSUES}, for about ${minutes()} minutes; a line here says when it is over`,
];

function minutes(): number {
  return Math.ceil(((ISSUES - FIRST_ISSUES) * MORE_EVERY_MS) / 60_000);
}

async function isEmpty(http: HttpApi): Promise<boolean> {
  for await (const _company of http.companies()) return false;
  return true;
}
