/**
 * Connections of workers: where a run's frames (a stop) go. First to the connection that got the grant; when that is
 * gone, to whatever connections its agent has; what is owed is sent again when the agent says hello (domain section 2).
 */
import type { WorkerSession } from './router.ts';

/** Runs remembered per connection; the frames of an older one go to all connections of its agent. */
const MOST_RUNS = 1024;

export class Sessions {
  private readonly byPool = new Map<string, Set<WorkerSession>>();
  private readonly byRun = new Map<string, WorkerSession>();
  private readonly runsOf = new Map<WorkerSession, Set<string>>();
  /** Connections that are closed: a grant that was on its way to one must not bring it back. */
  private readonly gone = new WeakSet<WorkerSession>();

  /** Runs whose connection is remembered. */
  get size(): number {
    return this.byRun.size;
  }

  attach(pool: string, session: WorkerSession): void {
    let set = this.byPool.get(pool);
    if (!set) {
      set = new Set();
      this.byPool.set(pool, set);
    }
    set.add(session);
    this.gone.delete(session);
  }

  detach(pool: string, session: WorkerSession): void {
    const set = this.byPool.get(pool);
    set?.delete(session);
    if (set?.size === 0) this.byPool.delete(pool);
    for (const runId of this.runsOf.get(session) ?? []) this.forget(runId);
    this.runsOf.delete(session);
    this.gone.add(session);
  }

  /** A run was granted to a claim that came over this connection. */
  granted(runId: string, session: WorkerSession): void {
    if (this.gone.has(session)) return;
    this.forget(runId);
    this.byRun.set(runId, session);
    let runs = this.runsOf.get(session);
    if (!runs) {
      runs = new Set();
      this.runsOf.set(session, runs);
    }
    runs.add(runId);
    const [oldest] = runs;
    if (runs.size > MOST_RUNS && oldest !== undefined) this.forget(oldest);
  }

  private forget(runId: string): void {
    const session = this.byRun.get(runId);
    if (!session) return;
    this.byRun.delete(runId);
    this.runsOf.get(session)?.delete(runId);
  }

  send(runId: string, pool: string | null, frame: Readonly<Record<string, unknown>>): void {
    const session = this.byRun.get(runId);
    if (session) session.send(frame);
    else if (pool !== null) for (const other of this.byPool.get(pool) ?? []) other.send(frame);
  }
}
