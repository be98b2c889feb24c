/** `baton start`: a server in the foreground, until it is told to stop. */
import { HttpApi } from '../client/http.ts';
import type { Settings } from '../config.ts';
import { VERSION } from '../version.ts';
import type { Call, Command } from './command.ts';
import { liveStatus } from './live-status.ts';
import { logOf } from './log.ts';
import { type MakeServer, makeServer, type RunningServer, type Step } from './runtime.ts';
import { SETTING_FLAGS, settingsOf } from './settings-of.ts';
import { paint, type Terminal } from './terminal.ts';

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
  const { terminal, clock } = call;
  let clearStatus = () => {};
  const log = logOf(settings.log, terminal, () => clearStatus());
  if (!terminal.json && !settings.printReady) {
    terminal.out.write(`  ${paint(terminal, 'bold', `baton ${VERSION}`)} · node ${process.versions.node}\n`);
  }
  const server = await make(settings, { log, say: (step) => tellStep(terminal, settings, step) });
  let stopStatus = () => {};
  if (settings.printReady) {
    const { url, token } = server;
    terminal.out.write(`${JSON.stringify({ ready: true, url, pid: process.pid, token })}\n`);
  } else if (!call.signal.aborted) {
    await Promise.race([server.ready?.(RECOVERY_MS), aborted(call.signal)]);
    tellDoors(terminal, server);
    if (!terminal.json && !terminal.quiet) {
      const { url, token } = server;
      const status = liveStatus(
        terminal,
        clock,
        new HttpApi({ url, token, clock, chance: call.random, timeoutMs: 5000 }),
      );
      clearStatus = status.clear;
      stopStatus = status.stop;
    }
  }
  await aborted(call.signal);
  stopStatus();
  log.info({ signal: String(call.signal.reason) }, 'stopping');
  const stopped = await Promise.race([
    server.stop().then(() => true),
    new Promise<false>((resolve) => clock.after(STOP_MS, () => resolve(false))),
  ]);
  if (!stopped)
    log.error(`It did not stop within ${STOP_MS} ms; what is in flight is repeated after the next start.`);
  return stopped ? 0 : 1;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** One line a step. With --print-ready stdout is for that one line alone. */
function tellStep(terminal: Terminal, settings: Settings, step: Step): void {
  if (settings.printReady || terminal.quiet) return;
  if (terminal.json) {
    terminal.out.write(
      `${JSON.stringify({ step: step.name, text: step.text, ms: step.ms === null ? null : Math.round(step.ms) })}\n`,
    );
    return;
  }
  const took =
    step.ms === null ? '' : step.ms >= 100 ? `${(step.ms / 1000).toFixed(1)} s` : `${Math.round(step.ms)} ms`;
  const line = `  ${paint(terminal, 'green', '✓')} ${step.name.padEnd(11)} ${step.text.padEnd(66)} ${took}`;
  terminal.out.write(`${line.trimEnd()}\n`);
}

function tellDoors(terminal: Terminal, server: RunningServer): void {
  if (terminal.json) {
    terminal.out.write(
      `${JSON.stringify({ step: 'ready', url: server.url, local: server.local ?? null })}\n`,
    );
    return;
  }
  const { url } = server;
  const ws = `${url.replace(/^http/, 'ws')}/v1/ws`;
  const mode =
    server.local === false
      ? 'token: requests need the operator token'
      : 'local: this machine only (--host and --token to open it)';
  const head = (name: string) => paint(terminal, 'dim', name);
  terminal.out.write(
    [
      '',
      `  ${head('Server')}     ${url}  ${head('WebSocket')}  ${ws}`,
      `  ${head('OpenAPI')}    ${url}/openapi.json  ${head('Metrics')}  ${url}/metrics`,
      `  ${head('Mode')}       ${mode}`,
      '',
      '',
    ].join('\n'),
  );
}
