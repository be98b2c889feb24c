/** The first lines of a server: one a step with its time, then where everything is. NDJSON where nobody watches. */
import { duration } from './issue-text.ts';
import type { RunningServer, Step } from './runtime.ts';
import { emit, paint, plain, say, type Terminal } from './terminal.ts';

/** One line a step. */
export function tellStep(terminal: Terminal, step: Step): void {
  if (terminal.quiet) return;
  emit(terminal, { step: step.name, text: step.text, ms: step.ms === null ? null : Math.round(step.ms) });
  const took = step.ms === null ? '' : timeTaken(step.ms);
  const line = `  ${paint(terminal, 'green', '✓')} ${step.name.padEnd(11)} ${plain(step.text).padEnd(70)} ${took}`;
  say(terminal, line.trimEnd());
}

function timeTaken(ms: number): string {
  if (ms >= 60_000) return duration(ms);
  return ms >= 100 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`;
}

/** Where everything is. */
export function tellDoors(terminal: Terminal, { url, local }: RunningServer): void {
  if (terminal.quiet) return;
  const doors = {
    dashboard: url,
    webSocket: `${url.replace(/^http/, 'ws')}/v1/ws`,
    docs: `${url}/docs`,
    mcp: `${url}/mcp`,
    inspector: `${url}/inspect`,
    metrics: `${url}/metrics`,
  };
  emit(terminal, { step: 'ready', url, local: local ?? null, ...doors });
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
  say(terminal);
}
