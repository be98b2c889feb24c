/** What the runtime tells whoever counts (gateway/metrics.ts gives it to Prometheus; tests read it). Must not throw. */
export interface Meter {
  /** An answer left: `type` of the event, `outcome` accepted | duplicate | unchanged | an error code. */
  answered(type: string, outcome: string): void;
  /** A batch came back: how long it took (ms) and how many journal rows it had; `outcome` of the store's union. */
  committed(outcome: 'committed' | 'fenced' | 'unknown' | 'rejected', ms: number, entries: number): void;
  /** A timer was delivered `lateMs` after its due time. */
  fired(lateMs: number): void;
  /** A stale internal event was ignored. */
  ignored(type: string): void;
  quarantined(actorId: string, reason: string): void;
  /** A partition changed hands. */
  partitions(owned: number): void;
}

/** Counts nothing. */
export const noMeter: Meter = {
  answered() {},
  committed() {},
  fired() {},
  ignored() {},
  quarantined() {},
  partitions() {},
};

/** Sizes of the runtime at the moment, for gauges. */
export interface Gauges {
  readonly resident: number;
  readonly residentBytes: number;
  readonly timers: number;
  readonly leases: number;
  readonly claims: number;
  readonly subscriptions: number;
  readonly quarantined: number;
  readonly backlog: number;
  readonly partitions: number;
}
