/**
 * The way to the database and back: every call's fate (memory-faults.ts), drawn. What is applied is applied by the
 * world, whether its sender still lives or not; what is answered is answered to a node that still lives.
 */
import type { Fate, MemoryFaults, StoreCall } from '../../../src/persistence/memory-faults.ts';
import { MemoryStore } from '../../../src/persistence/memory-store.ts';
import type { Batch, Store } from '../../../src/persistence/store.ts';
import type { Chance } from './chance.ts';
import type { Host } from './host.ts';
import type { FaultPlan, Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import type { Trace } from './trace.ts';

/** Text that this database calls unstorable. */
export const POISON = 'poison';
/** When all is calm a commit still takes a moment, so that nobody can read or hear of it in the step that applies it. */
const CALM_COMMIT_MS = 0.5;

export class Database implements MemoryFaults {
  readonly store: MemoryStore;
  down = false;
  /** Faults are drawn only until the calm. */
  calm = false;
  /** A commit was applied in this step: the witness looks. */
  applied = false;
  faulted = 0;
  private caller: Host | null = null;
  private poisoned = false;
  private readonly hosts = new Map<string, { host: Host; incarnation: number }>();
  private readonly faults: FaultPlan;
  private readonly keptEntries: number;
  private readonly ttlMs: number;
  private readonly scheduler: Scheduler;
  private readonly chance: Chance;
  private readonly beats: Chance;
  private readonly trace: Trace;

  constructor(plan: Plan, scheduler: Scheduler, chance: Chance, trace: Trace) {
    this.faults = plan.faults;
    this.keptEntries = plan.keptEntries;
    this.ttlMs = plan.ttlMs;
    this.scheduler = scheduler;
    this.chance = chance;
    this.beats = chance.split('beats');
    this.trace = trace;
    this.store = new MemoryStore({
      now: () => Math.floor(scheduler.now),
      faults: this,
      partitions: plan.partitions,
    });
  }

  /** The database as the host's present incarnation reaches it. */
  reachedFrom(host: Host): Store {
    const { incarnation } = host;
    this.hosts.set(host.label, { host, incarnation });
    const { store } = this;
    const by = <T>(f: () => T): T => {
      this.caller = host.incarnation === incarnation ? host : DEAD;
      const answer = f();
      this.caller = null;
      return answer;
    };
    const handle = store.forNode(host.label);
    return {
      ...handle,
      commit: (batch) => {
        this.poisoned = isPoisoned(batch);
        return by(() => store.commit(batch));
      },
      beat: (node) => by(() => store.beat(node)),
      acquire: (node, ttlMs, want, holding) => by(() => store.acquire(node, ttlMs, want, holding)),
      release: (node, partitions) => by(() => store.release(node, partitions)),
      // The least that production keeps is more than a history writes.
      prune: (held, before, ended, _kept, limit) =>
        handle.prune(held, before, ended, this.keptEntries, limit),
    };
  }

  /** Company → the oldest seq that its journal still has. */
  oldest(): Map<string, number> {
    const oldest = new Map<string, number>();
    for (const { companyId, seq } of this.store.dump().entries)
      oldest.set(companyId, Math.min(seq, oldest.get(companyId) ?? seq));
    return oldest;
  }

  fate(call: StoreCall, node: string | null): Fate | undefined {
    const host = this.caller ?? this.hostOf(node);
    if (host === null) return undefined;
    if (host === DEAD) return { is: 'lost', after: NEVER };
    const { chance, faults, scheduler } = this;
    if (this.down || host.cut) {
      this.faulted++;
      return { is: 'lost', after: host.sleep(chance.is(0.5) ? faults.timeoutMs : 2) };
    }
    if (call === 'commit' && this.poisoned) return { is: 'rejected', after: host.sleep(1) };
    if (this.calm) {
      if (call !== 'commit') return undefined;
      return {
        is: 'proceed',
        before: this.arrival(call, CALM_COMMIT_MS),
        after: host.sleep(2 * CALM_COMMIT_MS),
      };
    }
    const drawn = chance.u();
    const { lost, unanswered, late, latencyMs, timeoutMs } = faults;
    if (drawn < lost + unanswered + late) this.faulted++;
    if (drawn < lost) {
      this.trace.line(`${at(scheduler)} ${host.label} ${call} lost`);
      return { is: 'lost', after: host.sleep(timeoutMs) };
    }
    if (drawn < lost + unanswered) {
      this.trace.line(`${at(scheduler)} ${host.label} ${call} unanswered`);
      return {
        is: 'unanswered',
        before: this.arrival(call, chance.wait(latencyMs)),
        after: host.sleep(timeoutMs),
      };
    }
    if (drawn < lost + unanswered + late) {
      this.trace.line(`${at(scheduler)} ${host.label} ${call} late`);
      return {
        is: 'unanswered',
        before: this.arrival(call, timeoutMs + chance.wait(faults.lateMs)),
        after: host.sleep(timeoutMs),
      };
    }
    const there = chance.wait(latencyMs);
    return {
      is: 'proceed',
      before: this.arrival(call, there),
      after: host.sleep(there + 0.01 + chance.wait(latencyMs) + (call === 'beat' ? this.tardiness(host) : 0)),
    };
  }

  /** How much later than others a heartbeat's answer comes, ms. */
  private tardiness(host: Host): number {
    const { beats, ttlMs } = this;
    if (!beats.is(this.faults.beatLate)) return 0;
    this.faulted++;
    this.trace.line(`${at(this.scheduler)} ${host.label} beat is answered late`);
    return ttlMs * beats.between(0.2, 1);
  }

  private hostOf(node: string | null): Host | null {
    if (node === null) return null;
    const known = this.hosts.get(node);
    if (!known) return null;
    return known.host.incarnation === known.incarnation ? known.host : DEAD;
  }

  /** The request reaches the database: the world's doing, not its sender's. */
  private arrival(call: StoreCall, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.scheduler.after(ms, () => {
        if (call === 'commit') this.applied = true;
        resolve();
      });
    });
  }
}

function isPoisoned(batch: Batch): boolean {
  return batch.entries.some((e) => e.entry.includes(POISON));
}

const at = (scheduler: Scheduler) => scheduler.now.toFixed(2);
const NEVER = new Promise<never>(() => {});
/** Stands for a process that is gone: its calls go nowhere. */
const DEAD = Object.create(null) as Host;
