/**
 * The demo of a first start: only in an empty embedded database, and unless somebody said `--no-demo`. With
 * --print-ready a program started the server, so there it takes `--demo`.
 */
import { type Client, connect } from '../client/client.ts';
import type { Settings } from '../config.ts';
import type { Call } from './command.ts';
import { Demo, type DemoOptions, FIRST_ISSUES, MORE_EVERY_MS } from './demo/demo.ts';
import { endingOf } from './demo/ending.ts';
import type { RunningServer, Step } from './runtime.ts';

/** Goes on for some minutes, so that whoever looks a while later sees it at work. */
const ISSUES = 100;

export interface FirstDemo {
  stop(): Promise<void>;
}

interface Heard {
  /** What it does, and that it is over. */
  say(step: Step): void;
  /** What happens in it. */
  told(line: string): void;
}

type Play = (options: DemoOptions) => Promise<Pick<Demo, 'company' | 'over' | 'stop'>>;

/**
 * Null: there is none.
 * @param play only tests hand in another
 */
export async function firstDemo(
  call: Call,
  settings: Settings,
  server: RunningServer,
  { say, told }: Heard,
  play: Play = Demo.start,
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
    if (!(await isEmpty(client))) {
      client.close();
      return refuse('the database has content');
    }
    const begun = clock.monotonic();
    const demo = await play({ client, url, token, clock, issues: ISSUES, told });
    const text = `3 agents are working on ${FIRST_ISSUES} issues, each a real child process  (--no-demo to skip)`;
    say({ name: 'demo', text, ms: clock.monotonic() - begun });
    const every = MORE_EVERY_MS / 1000;
    const minutes = Math.ceil(((ISSUES - FIRST_ISSUES) * every) / 60);
    const plan = `one issue more every ${every} s until there are ${ISSUES}, for about ${minutes} minutes; a line here says when it is over`;
    say({ name: 'demo', text: plan, ms: null });
    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= demo.stop().then(() => client.close());
      return stopping;
    };
    void demo.over
      .then(() => endingOf(client.http, demo.company))
      .then((ending) => say({ name: 'demo', text: ending, ms: clock.monotonic() - begun }))
      .catch((error: unknown) => told(String(error)))
      .then(stop);
    return { stop };
  } catch (error) {
    client.close();
    throw error;
  }
}

async function isEmpty({ http }: Client): Promise<boolean> {
  for await (const _company of http.companies()) return false;
  return true;
}
