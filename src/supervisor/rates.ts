/**
 * How many events a company has a second, in all and by transition, averaged over the last `RATE_SECONDS`. Mutable and
 * small: a board counts every entry in it while somebody looks, and drops it when nobody does.
 */

/** Events per second are averaged over this many seconds. */
const RATE_SECONDS = 10;

/** One way through a machine: dotted state names, `from` null at birth. */
export interface Transition {
  readonly type: string;
  readonly from: string | null;
  readonly to: string;
}

interface Second {
  readonly at: number;
  events: number;
  readonly by: Map<string, { readonly of: Transition; count: number }>;
}

export class Rates {
  /** Oldest first; at most `RATE_SECONDS` of them. */
  private seconds: Second[] = [];

  /**
   * Counts one event.
   * @param of the way it took; null: counted in the sum only.
   * @param second whole seconds since the epoch, never decreasing.
   */
  add(of: Transition | null, second: number): void {
    let last = this.seconds.at(-1);
    if (last?.at !== second) {
      last = { at: second, events: 0, by: new Map() };
      this.seconds.push(last);
      this.seconds = this.seconds.filter(({ at }) => at > second - RATE_SECONDS);
    }
    last.events += 1;
    if (of === null) return;
    const key = `${of.from} ${of.type} ${of.to}`;
    const counted = last.by.get(key);
    if (counted) counted.count += 1;
    else last.by.set(key, { of, count: 1 });
  }

  /** As of `second`. Only transitions that were taken are listed, the most frequent first. */
  at(second: number): {
    eventsPerSecond: number;
    transitions: readonly (Transition & { perSecond: number })[];
  } {
    let events = 0;
    const sums = new Map<string, { of: Transition; count: number }>();
    for (const counted of this.seconds) {
      if (counted.at <= second - RATE_SECONDS) continue;
      events += counted.events;
      for (const [key, { of, count }] of counted.by) {
        sums.set(key, { of, count: count + (sums.get(key)?.count ?? 0) });
      }
    }
    const transitions = [...sums.values()]
      .sort((a, b) => b.count - a.count)
      .map(({ of, count }) => ({ ...of, perSecond: count / RATE_SECONDS }));
    return { eventsPerSecond: events / RATE_SECONDS, transitions };
  }
}
