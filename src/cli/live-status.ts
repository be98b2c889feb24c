/** The one line under a running server on a terminal: how many issues are where, and how busy it is. */
import type { HttpApi } from '../client/http.ts';
import type { Clock } from '../clock.ts';
import { paint, type Terminal } from './terminal.ts';

const EVERY_MS = 1000;
const STATES: readonly [string, string][] = [
  ['running', 'running'],
  ['scheduled-retry', 'retrying'],
  ['idle', 'idle'],
  ['done', 'done'],
  ['cancelled', 'cancelled'],
];

/** Draws once a second until `stop`; `clear` takes the line away for somebody else's. */
export function liveStatus(terminal: Terminal, clock: Clock, http: HttpApi): { clear(): void; stop(): void } {
  let isStopped = false;
  let isDrawn = false;
  let cancel = () => {};
  const clear = () => {
    if (isDrawn) terminal.out.write('\r\x1b[K');
    isDrawn = false;
  };
  const draw = async () => {
    // A server that is busy or away says so itself; the line waits for the next second.
    const text = await statusText(http).catch(() => null);
    if (isStopped) return;
    if (text !== null) {
      terminal.out.write(`\r\x1b[K  ${paint(terminal, 'dim', text)}`);
      isDrawn = true;
    }
    cancel = clock.after(EVERY_MS, () => void draw());
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

async function statusText(http: HttpApi): Promise<string> {
  const totals: Record<string, number> = {};
  let eventsPerSecond = 0;
  for await (const company of http.companies()) {
    const stats = await http.stats(company.id);
    for (const [state, n] of Object.entries(stats.byState)) totals[state] = (totals[state] ?? 0) + n;
    eventsPerSecond += stats.eventsPerSecond;
  }
  const counts = STATES.map(([state, word]) => `${word} ${totals[state] ?? 0}`);
  return [...counts, `${Math.round(eventsPerSecond)} ev/s`].join('  ');
}
