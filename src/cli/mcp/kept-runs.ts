/**
 * Runs claimed through the bridge are kept alive for as long as it runs: a model that thinks for ten minutes between two
 * calls sends no heartbeat, and what the lease is to notice – that whoever executes is gone – is that this process ends.
 *
 * - KR1 A run is kept from its grant until it was ended through the bridge, or the server says that it is over.
 * - KR2 A heartbeat that did not get through is sent again when the next is due: nobody knows yet that it is over.
 */
import type { Clock } from '../../clock.ts';

/** Sends a heartbeat; false: the run is not ours any more. Rejects when it did not get through. */
export type Beat = (run: { runId: string; fence: number }) => Promise<boolean>;

/** Heartbeats a lease. */
const BEATS = 3;
const SHORTEST_MS = 100;

export class KeptRuns {
  readonly #clock: Clock;
  readonly #beat: Beat;
  /** Run → the way to call its next heartbeat off. */
  readonly #kept = new Map<string, () => void>();

  constructor(options: { clock: Clock; beat: Beat }) {
    this.#clock = options.clock;
    this.#beat = options.beat;
  }

  /** Keeps a run; `leaseMs` as its grant says. */
  keep(runId: string, fence: number, leaseMs: number): void {
    this.forget(runId);
    const every = Math.max(SHORTEST_MS, Math.floor(leaseMs / BEATS));
    const arm = () => {
      const disarm = this.#clock.after(every, () => {
        this.#beat({ runId, fence }).then(
          (isOurs) => {
            if (this.#kept.get(runId) !== disarm) return;
            if (isOurs) arm();
            else this.forget(runId);
          },
          () => {
            if (this.#kept.get(runId) === disarm) arm();
          },
        );
      });
      this.#kept.set(runId, disarm);
    };
    arm();
  }

  /** The run is over. */
  forget(runId: string): void {
    this.#kept.get(runId)?.();
    this.#kept.delete(runId);
  }

  /** Nobody executes any more: what is kept is left to its lease. */
  close(): void {
    for (const disarm of this.#kept.values()) disarm();
    this.#kept.clear();
  }
}
