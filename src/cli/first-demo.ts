/**
 * The demo of a first start: only in an empty embedded database, and unless somebody said `--no-demo`. With
 * --print-ready a program started the server, so there it takes `--demo`.
 */
import { type Client, connect } from '../client/client.ts';
import type { Settings } from '../config.ts';
import type { Call } from './command.ts';
import { Demo, FIRST_ISSUES } from './demo/demo.ts';
import type { RunningServer, Step } from './runtime.ts';

/** Goes on for some minutes, so that whoever looks a while later sees it at work. */
const ISSUES = 100;

export interface FirstDemo {
  stop(): Promise<void>;
}

interface Heard {
  say(step: Step): void;
  /** What happens in it, and that it is over. */
  told(line: string): void;
}

/** Null: there is none. */
export async function firstDemo(
  call: Call,
  settings: Settings,
  server: RunningServer,
  { say, told }: Heard,
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
    const demo = await Demo.start({ client, url, token, clock, issues: ISSUES, told });
    const text = `3 agents are working on ${FIRST_ISSUES} issues, each a real child process  (--no-demo to skip)`;
    say({ name: 'demo', text, ms: clock.monotonic() - begun });
    let stopping: Promise<void> | null = null;
    const stop = () => {
      stopping ??= demo.stop().then(() => client.close());
      return stopping;
    };
    void demo.over.then(stop).then(() => told('The demo is over; `baton demo` plays it again.'));
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
