/**
 * What is counted, for Prometheus (`GET /metrics`). `answered` is called once an event and must cost next to nothing,
 * so it counts in plain maps that become Prometheus' counters only when somebody scrapes. No label holds an id: metrics
 * are of the whole server and tell nothing of one company.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Gauges, Meter } from '../supervisor/meter.ts';

export interface Metrics extends Meter {
  /** Gives the gauges their source; read at every scrape. */
  bind(gauges: () => Gauges): void;
  /** A WebSocket was opened. */
  opened(): void;
  /** A WebSocket was closed, by whom so ever, with this code. */
  closed(code: number): void;
  /** An HTTP request was answered. */
  served(status: number): void;
  /** The text that Prometheus reads, and its content type. */
  scrape(): Promise<{ type: string; text: string }>;
}

const GAUGES: Readonly<Record<keyof Gauges, string>> = {
  resident: 'Actors in memory.',
  residentBytes: 'Bytes of the actors in memory, estimated.',
  timers: 'Timers armed.',
  leases: 'Run leases armed.',
  claims: 'Claims waiting for a grant.',
  subscriptions: 'Subscriptions open.',
  quarantined: 'Actors put aside because they or their state are broken.',
  backlog: 'Turns waiting for their commit.',
  partitions: 'Partitions this node owns.',
};

/** `residentBytes` → `resident_bytes`. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Counts by two labels without a hash per count. */
class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  add(first: string, second: string): void {
    let inner = this.#counts.get(first);
    if (inner === undefined) {
      inner = new Map();
      this.#counts.set(first, inner);
    }
    inner.set(second, (inner.get(second) ?? 0) + 1);
  }

  each(f: (first: string, second: string, count: number) => void): void {
    for (const [first, inner] of this.#counts) for (const [second, count] of inner) f(first, second, count);
  }
}

/** A registry of its own: two servers in one process (tests, the simulation) do not meet. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'baton_' });
  const registers = [registry];

  const answers = new Tally();
  new Counter({
    name: 'baton_events_total',
    help: 'Events answered, by type and outcome (accepted, duplicate, unchanged, or an error code).',
    labelNames: ['type', 'outcome'],
    registers,
    collect() {
      this.reset();
      answers.each((type, outcome, count) => this.inc({ type, outcome }, count));
    },
  });
  const commits = new Counter({
    name: 'baton_commits_total',
    help: 'Batches that came back from the store.',
    labelNames: ['outcome'],
    registers,
  });
  const entries = new Counter({
    name: 'baton_journal_entries_total',
    help: 'Journal rows committed.',
    registers,
  });
  const commitSeconds = new Histogram({
    name: 'baton_commit_seconds',
    help: 'How long a commit took.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  });
  const lateSeconds = new Histogram({
    name: 'baton_timer_late_seconds',
    help: 'How long after its due time a timer was delivered.',
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300],
    registers,
  });
  const ignored = new Counter({
    name: 'baton_stale_events_total',
    help: 'Stale internal events ignored.',
    labelNames: ['type'],
    registers,
  });
  const quarantined = new Counter({
    name: 'baton_quarantines_total',
    help: 'Actors put aside since the start.',
    registers,
  });
  const handovers = new Counter({
    name: 'baton_partition_changes_total',
    help: 'Times the set of owned partitions changed.',
    registers,
  });
  const sockets = new Gauge({ name: 'baton_sockets', help: 'WebSockets open.', registers });
  const closes = new Counter({
    name: 'baton_socket_closes_total',
    help: 'WebSockets closed, by close code.',
    labelNames: ['code'],
    registers,
  });
  const requests = new Counter({
    name: 'baton_http_requests_total',
    help: 'HTTP requests answered, by status.',
    labelNames: ['status'],
    registers,
  });

  return {
    answered: (type, outcome) => answers.add(type, outcome),
    committed(outcome, ms, count) {
      commits.inc({ outcome });
      commitSeconds.observe(ms / 1000);
      if (outcome === 'committed') entries.inc(count);
    },
    fired: (lateMs) => lateSeconds.observe(Math.max(0, lateMs) / 1000),
    ignored: (type) => ignored.inc({ type }),
    quarantined: () => quarantined.inc(),
    partitions: () => handovers.inc(),
    bind(gauges) {
      for (const [name, help] of Object.entries(GAUGES)) {
        const key = name as keyof Gauges;
        new Gauge({
          name: `baton_${snake(name)}`,
          help,
          registers,
          collect() {
            this.set(gauges()[key]);
          },
        });
      }
    },
    opened: () => sockets.inc(),
    closed(code) {
      sockets.dec();
      closes.inc({ code });
    },
    served: (status) => requests.inc({ status }),
    scrape: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}
