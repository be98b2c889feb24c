/** `baton start`: a server in the foreground, until it is told to stop. */
import { HttpApi } from '../client/http.ts';
import { VERSION } from '../version.ts';
import type { Call, Command } from './command.ts';
import type { Moment } from './demo/moment.ts';
import { type FirstDemo, firstDemo } from './first-demo.ts';
import { tellDoors, tellMoment, tellReady, tellStep } from './first-lines.ts';
import { liveStatus } from './live-status.ts';
import { type MakeServer, makeServer, type RunningServer, type Step } from './runtime.ts';
import { SETTING_FLAGS, settingsOf } from './settings-of.ts';
import { paint, say } from './terminal.ts';
import { aborted, later } from './waits.ts';

/** Protocol section 1: exit within 10 s; what is left is for the operating system. */
const STOP_MS = 9500;
/** How long the first lines wait for the recovery's line, so that they end in the order they are meant to be read in. */
const RECOVERY_MS = 3000;

/** @param make only tests hand in another */
export function startCommand(make: MakeServer = makeServer): Command {
  return {
    name: 'start',
    summary: 'start a server',
    usage: '[options]',
    takes: [0, 0],
    about: 'A flag goes before the environment, that before baton.config.json, that before the default.',
    flags: SETTING_FLAGS,
    examples: [
      'baton start',
      'baton start --port 0 --print-ready',
      'baton start --host 0.0.0.0 --token "$TOKEN"',
    ],
    run: (call) => start(call, make),
  };
}

async function start(call: Call, make: MakeServer): Promise<number> {
  const { settings } = settingsOf(call);
  const { clock, signal } = call;
  // With --print-ready stdout is for that one line alone.
  const terminal = settings.printReady ? { ...call.terminal, quiet: true, json: false } : call.terminal;
  let clearStatus = () => {};
  // Read when it is needed: a hook or `baton why` should not wait for a server's code.
  const { logOf } = await import('./log.ts');
  const log = logOf(settings.log, call.terminal, () => clearStatus());
  const tell = (step: Step) => {
    clearStatus();
    tellStep(terminal, clock.now(), step);
  };
  say(terminal, `  ${paint(terminal, 'bold', `baton ${VERSION}`)} · node ${process.versions.node}`);
  const server = await make(settings, { log, say: tell });
  let stopStatus = () => {};
  let demo: FirstDemo | null = null;
  if (settings.printReady) {
    const { url, token } = server;
    terminal.out.write(`${JSON.stringify({ ready: true, url, pid: process.pid, token })}\n`);
  }
  const isReady = await Promise.race([server.ready?.(RECOVERY_MS), aborted(signal)]);
  if (!signal.aborted) {
    if (isReady === true) {
      const told = (moment: Moment) => {
        if (!moment.isOfNote) return log.debug(moment.text);
        clearStatus();
        tellMoment(terminal, clock.now(), moment);
      };
      const heard = { say: tell, told };
      demo = await firstDemo(call, settings, server, heard).catch((error: unknown) => {
        log.warn({ err: String(error) }, 'the demo could not be started');
        return null;
      });
    }
    tellDoors(terminal, clock.now(), server, demo !== null, isReady !== false);
    if (isReady === false) {
      void server.ready?.(Number.POSITIVE_INFINITY).then((isNow) => {
        if (!isNow || signal.aborted) return;
        clearStatus();
        tellReady(terminal, clock.now(), server);
      });
    }
    if (!terminal.quiet) ({ clear: clearStatus, stop: stopStatus } = statusOf(call, server));
  }
  await aborted(signal);
  stopStatus();
  log.info({ signal: String(signal.reason) }, 'stopping');
  const since = clock.monotonic();
  const stopped = await Promise.race([
    Promise.resolve(demo?.stop())
      .then(() => server.stop())
      .then(() => true),
    later(clock, STOP_MS),
  ]);
  if (!stopped) {
    log.error(`It did not stop within ${STOP_MS} ms; what is in flight is repeated after the next start.`);
    return 1;
  }
  const ms = clock.monotonic() - since;
  tell({ name: 'stopped', text: 'all that was acknowledged is kept', ms });
  log.info({ ms: Math.round(ms) }, 'stopped');
  return 0;
}

function statusOf({ terminal, clock, random }: Call, { url, token }: RunningServer) {
  const http = new HttpApi({ url, token, clock, chance: random, timeoutMs: 5000 });
  const page = async (path: string) => {
    const headers = token === null ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`${url}${path}`, { headers })).text();
  };
  return liveStatus(terminal, clock, http, page);
}
