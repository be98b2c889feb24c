/**
 * What a running server says of itself: on a terminal one line, redrawn in place; elsewhere one JSON line now and then,
 * when something has changed. How many issues are where, how busy it is, how fast it commits.
 */
import type { CompanyStats, HttpApi } from '../client/http.ts';
import type { Clock } from '../clock.ts';
import { type Buckets, bucketsIn, quantile } from './commit-latency.ts';
import { emitLine } from './first-lines.ts';
import { paint, plain, type Terminal } from './terminal.ts';

const DRAW_MS = 1000;
const REPORT_MS = 10_000;
/** Commits of so many readings make the p99. */
const READINGS = 30;

export interface Status {
  running: number;
  queued: number;
  retrying: number;
  idle: number;
  done: number;
  cancelled: number;
  eventsPerSecond: number;
  /** Null: nothing was committed lately. */
  commitP99Ms: number | null;
}

/** A server that waits for its database is asked for nothing else: each question would be a line in its log. */
interface NotReady {
  readonly reason: string;
}

/** Draws until `stop`; `clear` takes the line away for somebody else's. */
export function liveStatus(
  terminal: Terminal,
  clock: Clock,
  http: HttpApi,
  page: (path: string) => Promise<string>,
): { clear(): void; stop(): void } {
  let isStopped = false;
  let isDrawn = false;
  let cancel = () => {};
  let said = '';
  const readings: Buckets[] = [];
  const clear = () => {
    if (isDrawn) terminal.out.write('\r\x1b[K');
    isDrawn = false;
  };
  const draw = async () => {
    // A server that is busy or away says so itself; the line waits for its next turn.
    const status = await read(http, page, readings).catch(() => null);
    if (isStopped) return;
    if (status !== null && terminal.json) {
      const {
        eventsPerSecond: _,
        commitP99Ms: __,
        ...rest
      } = { eventsPerSecond: 0, commitP99Ms: 0, ...status };
      const ready = 'reason' in status ? { ready: false } : {};
      if (JSON.stringify(rest) !== said)
        emitLine(terminal, clock.now(), { msg: textOf(status), step: 'status', ...ready, ...status });
      said = JSON.stringify(rest);
    } else if (status !== null) {
      // A line that wraps could not be taken away again.
      const text = textOf(status).slice(0, Math.max(20, (terminal.out.columns ?? 200) - 3));
      terminal.out.write(`\r\x1b[K  ${paint(terminal, 'dim', text)}`);
      isDrawn = true;
    }
    cancel = clock.after(terminal.json ? REPORT_MS : DRAW_MS, () => void draw());
  };
  void draw();
  return {
    clear,
    stop() {
      isStopped = true;
      cancel();
      clear();
    },
  };
}

async function read(
  http: HttpApi,
  page: (path: string) => Promise<string>,
  readings: Buckets[],
): Promise<Status | NotReady> {
  const { ready, reason } = JSON.parse(await page('/readyz')) as { ready: boolean; reason?: string | null };
  if (!ready) return { reason: reason ?? 'it does not say why' };
  const all: CompanyStats[] = [];
  for await (const company of http.companies()) all.push(await http.stats(company.id));
  readings.push(bucketsIn(await page('/metrics')));
  if (readings.length > READINGS) readings.shift();
  return statusOf(all, quantile(readings[0] ?? [], readings.at(-1) ?? [], 0.99));
}

export function statusOf(all: readonly CompanyStats[], commitP99Ms: number | null): Status {
  const sum = (of: (stats: CompanyStats) => number | undefined) =>
    all.reduce((total, stats) => total + (of(stats) ?? 0), 0);
  const queued = sum((s) => s.bySubstate['running.queued'] ?? s.bySubstate.queued);
  return {
    running: sum((s) => s.byState.running) - queued,
    queued,
    retrying: sum((s) => s.byState['scheduled-retry']),
    idle: sum((s) => s.byState.idle),
    done: sum((s) => s.byState.done),
    cancelled: sum((s) => s.byState.cancelled),
    eventsPerSecond: Math.round(sum((s) => s.eventsPerSecond)),
    commitP99Ms: commitP99Ms === null ? null : Math.round(commitP99Ms * 10) / 10,
  };
}

function textOf(status: Status | NotReady): string {
  if ('reason' in status) return `not ready: ${plain(status.reason)}; goes on by itself when that is over`;
  const { eventsPerSecond, commitP99Ms, ...counts } = status;
  const parts = Object.entries(counts).filter(([name, n]) => name !== 'idle' || n > 0);
  const latency =
    commitP99Ms === null ? '' : `  commit p99 ${commitP99Ms < 10 ? commitP99Ms : Math.round(commitP99Ms)} ms`;
  return `${parts.map(([name, n]) => `${name} ${n}`).join('  ')}   ${eventsPerSecond} ev/s${latency}`;
}
