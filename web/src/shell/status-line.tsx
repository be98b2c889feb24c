/** How many issues are where, and how busy the company is: one line, pushed by the server once a second. */
import { computed, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { StatsChange } from '../../../src/client/index.ts';
import { readAgents } from '../agents/roster.ts';
import { count } from '../duration.ts';
import { addressOf } from '../location.ts';
import { client, company, heard } from '../session.ts';
import { Icon } from '../ui/icon.tsx';
import { Sparkline } from '../ui/sparkline.tsx';
import { SHOWN, type Shown } from '../ui/state.tsx';

interface Stats {
  byState: Record<string, number>;
  bySubstate: Record<string, number>;
  dueInNextHour: number;
  eventsPerSecond: number;
  transitions: readonly { type: string; from: string | null; to: string; perSecond: number }[];
}

/** Seconds of events per second that are kept for drawing. */
const KEPT = 300;

export const stats = signal<Stats | null>(null);
/** Events per second, one a second, newest last. */
export const rates = signal<readonly number[]>([]);

const ORDER: readonly Shown[] = ['executing', 'queued', 'stopping', 'retrying', 'idle', 'done', 'cancelled'];

const counts = computed(() => {
  const { byState = {}, bySubstate = {} } = stats.value ?? {};
  return ORDER.map((shown) => {
    const { filter } = SHOWN[shown];
    return { shown, filter, n: (filter.includes('.') ? bySubstate : byState)[filter] ?? 0 };
  }).filter(({ shown, n }) => n > 0 || shown !== 'stopping');
});

export function StatusLine() {
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    stats.value = null;
    rates.value = [];
    void readAgents(from, of.id).catch(() => {
      // Names stay ids until the next connection.
    });
    const take = (next: Stats) => {
      heard();
      stats.value = next;
      rates.value = [...rates.peek().slice(1 - KEPT), next.eventsPerSecond];
    };
    const subscribed = from.subscribe(
      `stats:${of.id}`,
      {},
      {
        snapshot: (items) => take(items[0] as unknown as Stats),
        change: (change) => take((change as StatsChange).stats as Stats),
      },
    );
    subscribed.catch(() => {
      // The connection is over; whoever signs in again subscribes again.
    });
    return () =>
      void subscribed.then(
        (subscription) => subscription.close(),
        () => {},
      );
  }, [client.value, company.value]);

  const { value: now } = stats;
  const all = counts.value.reduce((sum, { n }) => sum + n, 0);
  return (
    <section class="status" aria-label="Counts by state">
      <ul>
        {counts.value.map(({ shown, filter, n }) => (
          <li key={shown}>
            <a href={addressOf('/', { state: filter })} class={`count state-${shown}`}>
              <Icon name={SHOWN[shown].icon} size={14} />
              <span class="word">{SHOWN[shown].word}</span>
              <span class="bar" aria-hidden="true" style={{ '--share': all === 0 ? 0 : n / all }} />
              <span class="n">{now === null ? '–' : count(n)}</span>
            </a>
          </li>
        ))}
      </ul>
      <div class="rate" title="Accepted events per second, the last minute">
        <span class="n">{now === null ? '–' : count(Math.round(now.eventsPerSecond))}</span>
        <span class="unit">ev/s</span>
        <Sparkline values={rates.value.slice(-60)} label="Events per second, the last minute" />
      </div>
    </section>
  );
}
