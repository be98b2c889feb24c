/**
 * A place where nodes run, one after another: booted, paused, crashed, stopped, booted again. What belongs to a node –
 * its timers, answers of the database, messages to it – is scheduled through its host: after a crash nothing of it runs
 * any more, during a pause it queues up and runs at the resume.
 */
import { clockOver, type TimeSource } from '../../../src/clock.ts';
import type { RunningNode } from '../../../src/supervisor/start-node.ts';
import type { Chance } from './chance.ts';
import type { Scheduler } from './scheduler.ts';
import type { Gateway } from './socket.ts';

interface Queued {
  readonly run: () => void;
  readonly message: boolean;
}

/** A request that a node has not answered yet. */
export interface OpenCall {
  readonly what: string;
  readonly since: number;
  /** How long it may take, ms. */
  readonly patience: number;
  /** The connection breaks. */
  readonly broken: () => void;
}

export class Host {
  readonly slot: number;
  running: RunningNode | null = null;
  /** What the sessions of its present incarnation share. */
  gateway: Gateway | null = null;
  incarnation = 0;
  /** The database cannot be reached from here. */
  cut = false;
  /** How far its wall clock is off, ms. */
  wallOffset = 0;
  readonly open = new Map<number, OpenCall>();
  /** Called once when the present incarnation ends. */
  endings: (() => void)[] = [];
  private paused = false;
  private queue: Queued[] = [];
  private calls = 0;
  private readonly scheduler: Scheduler;
  private readonly chance: Chance;

  constructor(slot: number, scheduler: Scheduler, chance: Chance) {
    this.slot = slot;
    this.scheduler = scheduler;
    this.chance = chance;
  }

  get label(): string {
    return `h${this.slot}.${this.incarnation}`;
  }

  get up(): boolean {
    return this.running !== null;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** Runs `run` in `ms` if this incarnation lives then; later when it is paused. Returns the way to call it off. */
  after(ms: number, run: () => void, message = false): () => void {
    const { incarnation } = this;
    let off = false;
    const now = () => {
      if (!off && incarnation === this.incarnation) run();
    };
    const callOff = this.scheduler.after(ms, () => {
      if (off || incarnation !== this.incarnation) return;
      if (this.paused) this.queue.push({ run: now, message });
      else run();
    });
    return () => {
      off = true;
      callOff();
    };
  }

  /** Resolves in `ms` of this incarnation's life; never when it ends before. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve);
    });
  }

  /** Its clock: the production code over this world's time. A timeout may be a little early, as Node's are, or late. */
  clock() {
    return clockOver(this.timeSource());
  }

  timeSource(): TimeSource {
    const { scheduler } = this;
    const bootedAt = scheduler.now - 1000;
    return {
      wall: () => scheduler.now + this.wallOffset,
      monotonic: () => scheduler.now - bootedAt,
      timeout: (f, ms) =>
        this.after(Math.max(0.05, Math.max(1, ms) - this.chance.u() + this.chance.wait(0.3)), f),
    };
  }

  /** The process is gone, with all that was open. */
  end(): void {
    this.incarnation++;
    this.running = null;
    this.gateway = null;
    this.paused = false;
    this.queue = [];
    for (const ended of this.endings.splice(0)) ended();
    const open = [...this.open.values()];
    this.open.clear();
    for (const call of open) call.broken();
  }

  pause(): void {
    this.paused = true;
  }

  /** Goes on. What queued up runs in its order, or with the messages first: which poll sees first is not promised. */
  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    let { queue } = this;
    this.queue = [];
    if (this.chance.is(0.5)) queue = [...queue.filter((q) => q.message), ...queue.filter((q) => !q.message)];
    for (const { run } of queue) this.after(0, run);
  }

  opened(call: OpenCall): number {
    this.open.set(++this.calls, call);
    return this.calls;
  }
}
