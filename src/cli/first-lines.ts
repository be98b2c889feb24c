/**
 * The first lines of a server: one a step with its time, then where everything is. Where nobody watches they are NDJSON in
 * the shape of its log: `level`, `time` and `msg` in every line.
 */
import type { Moment } from './demo/moment.ts';
import { clockTime, duration } from './issue-text.ts';
import type { RunningServer, Step } from './runtime.ts';
import { emit, paint, plain, say, type Terminal } from './terminal.ts';

/** pino's number for `info`. */
const INFO = 30;

/** A line of NDJSON that a reader of the log understands. */
export function emitLine(terminal: Terminal, at: number, fields: Readonly<Record<string, unknown>>): void {
  emit(terminal, { level: INFO, time: at, ...fields });
}

/**
 * One line a step.
 * @param at epoch ms
 */
export function tellStep(terminal: Terminal, at: number, step: Step): void {
  if (terminal.quiet) return;
  const ms = step.ms === null ? null : Math.round(step.ms);
  emitLine(terminal, at, { step: step.name, msg: step.text, ms });
  const took = step.ms === null ? '' : timeTaken(step.ms);
  const line = `  ${paint(terminal, 'green', '✓')} ${step.name.padEnd(11)} ${plain(step.text).padEnd(70)} ${took}`;
  say(terminal, line.trimEnd());
}

function timeTaken(ms: number): string {
  if (ms >= 60_000) return duration(ms);
  return ms >= 100 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}

/** What happens in the demo, above the line of counts. */
export function tellMoment(terminal: Terminal, at: number, { what, issue, text }: Moment): void {
  if (terminal.quiet) return;
  emitLine(terminal, at, { step: 'demo', event: what, issue, msg: text });
  const when = paint(terminal, 'dim', clockTime(at).padEnd(11));
  say(terminal, `  ${paint(terminal, 'dim', '·')} ${when} ${plain(text)}`);
}

/**
 * Where everything is.
 * @param hasDemo it is worth a look then
 * @param isReady false: it listens only; `tellReady` says when that is over
 */
export function tellDoors(
  terminal: Terminal,
  at: number,
  { url, local }: RunningServer,
  hasDemo: boolean,
  isReady: boolean,
): void {
  if (terminal.quiet) return;
  const doors = {
    dashboard: url,
    webSocket: `${url.replace(/^http/, 'ws')}/v1/ws`,
    docs: `${url}/docs`,
    mcp: `${url}/mcp`,
    inspector: `${url}/inspect`,
    metrics: `${url}/metrics`,
  };
  const [step, msg] = isReady
    ? ['ready', `ready at ${url}`]
    : ['listening', `listening at ${url}, and not ready yet`];
  emitLine(terminal, at, { step, msg, url, local: local ?? null, ...doors });
  const mode =
    local === false
      ? 'token: requests need the operator token'
      : 'local: this machine only (--host and --token to open it)';
  const width = doors.inspector.length + 2;
  const row = (left: string, there: string, right: string, too: string) =>
    `  ${paint(terminal, 'dim', left.padEnd(10))} ${there.padEnd(width)} ${paint(terminal, 'dim', right.padEnd(10))} ${too}`;
  say(terminal);
  say(terminal, row('Dashboard', doors.dashboard, 'WebSocket', doors.webSocket));
  say(terminal, row('API docs', doors.docs, 'MCP', doors.mcp));
  say(terminal, row('Inspector', doors.inspector, 'Metrics', doors.metrics));
  say(terminal, `  ${paint(terminal, 'dim', 'Mode'.padEnd(10))} ${mode}`);
  if (hasDemo) {
    say(terminal);
    say(
      terminal,
      `  ${paint(terminal, 'bold', `Open ${url} to watch the demo`)}; what is out of the ordinary is told here, too.`,
    );
  }
  say(terminal);
}

/** Of a server that listened before it was ready: it is now. */
export function tellReady(terminal: Terminal, at: number, { url }: RunningServer): void {
  if (terminal.quiet) return;
  emitLine(terminal, at, { step: 'ready', msg: `ready at ${url}`, url });
  say(terminal, `  ${paint(terminal, 'green', '✓')} ${'ready'.padEnd(11)} ${url}`);
}
