/**
 * The world's one clock and one queue: a heap of (time, sequence). A step runs one event and then lets every promise
 * that it settled run to its end, so that the order of everything is the order of this heap.
 */
interface Event {
  readonly at: number;
  readonly seq: number;
  readonly run: () => void;
  off: boolean;
}

export class Scheduler {
  /** Epoch ms, fractions allowed: the time of the world, which is the database's. */
  now: number;
  steps = 0;
  private seq = 0;
  private readonly heap: Event[] = [];

  private readonly thrown: (error: unknown) => void;

  /** `thrown` hears of what an event throws; without it the run ends with that. */
  constructor(
    now: number,
    thrown: (error: unknown) => void = (error) => {
      throw error;
    },
  ) {
    this.now = now;
    this.thrown = thrown;
  }

  /** Runs `run` in `ms`. Returns the way to call it off. */
  after(ms: number, run: () => void): () => void {
    const event: Event = { at: this.now + Math.max(0, ms), seq: this.seq++, run, off: false };
    this.push(event);
    return () => {
      event.off = true;
    };
  }

  /**
   * Runs what is due until then, and lets the time be `until`. `stepped` is called after each step and all that came of it.
   */
  run(until: number, stepped?: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      // Only outside of a microtask can microtasks be run to their end.
      setImmediate(() => {
        try {
          while (this.step(until)) {
            settle();
            if (stepped) {
              stepped();
              settle();
            }
          }
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** One step; false when nothing is left, or nothing before `until`, which it then is. */
  private step(until: number): boolean {
    let event = this.heap[0];
    while (event?.off) {
      this.pop();
      event = this.heap[0];
    }
    if (!event || event.at > until) {
      this.now = until;
      return false;
    }
    this.pop();
    this.now = event.at;
    this.steps++;
    try {
      event.run();
    } catch (error) {
      this.thrown(error);
    }
    return true;
  }

  private push(event: Event): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function before(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq);
}

/**
 * Runs every microtask there is to its end, and what they bring: what Node itself calls between two callbacks, ten times as
 * quick as going once round its loop.
 */
const settle = (process as unknown as { _tickCallback(): void })._tickCallback;
