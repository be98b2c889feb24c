/**
 * One company, or one issue, on its way to an inspecting reader: the sink the router writes to. Live issues make
 * themselves known first, then every change follows (protocol section 8).
 *
 * - IT1 An issue is made known before anything is told of it, and once: `@xstate.actor` comes first.
 * - IT2 A slow reader's changes conflate: of each issue the latest is kept, in order; nothing is reordered.
 * - IT3 What a reader costs is bounded: the buffer by the outbox, what is held by `MOST_PENDING` (past it the reader is
 *   too slow), the issues remembered as known by `MOST_KNOWN` (one forgotten is made known anew).
 */
import type { IssueView } from '../machines/view.ts';
import type { Published, Router, Sink } from '../supervisor/router.ts';
import { actorText, changeTexts, type InspectedChange } from './inspection.ts';
import type { Held, Outbox } from './outbox.ts';

/** States of an issue that a newcomer is shown. The others are made known when something happens to them. */
export const LIVE = ['idle', 'running', 'scheduled-retry'] as const;
const MOST_KNOWN = 20_000;
/** Issues of a company that a newcomer is shown. */
const MOST_LIVE = 10_000;
const PAGE = 500;
/** Issues of which something may be held for a slow reader: with their views mostly 1 MB. */
const MOST_PENDING = 2000;

export interface InspectedTopicOptions {
  readonly companyId: string;
  readonly outbox: Outbox;
  readonly router: Router;
  /** Leave out what viewers do not see. */
  readonly redact: boolean;
  /** The machine's definition, the first time it is asked for; null after that. */
  definition(): string | null;
  /** The subscription is over; it may be opened again. */
  ended(): void;
  /** The reader cannot be caught up. */
  tooSlow(): void;
}

export class InspectedTopic implements Sink, Held {
  readonly #o: InspectedTopicOptions;
  readonly #known = new Set<string>();
  /** By issue: an entry, or the view of one that is to be made known. */
  readonly #pending = new Map<string, Published | string>();
  #over = false;
  #drained: (() => void) | null = null;
  #close: (() => void) | null = null;

  constructor(options: InspectedTopicOptions) {
    this.#o = options;
  }

  /** What ends it at its source. It may be over already: then that is called at once. */
  bound(close: () => void): void {
    if (this.#over) close();
    else this.#close = close;
  }

  opened(): void {}

  snapshot(s: { items: readonly string[]; more: boolean }): void {
    for (const view of s.items) this.#make(view);
    if (s.more) void this.#rest();
  }

  change(p: Published): void {
    if (this.#over || p.kind !== 'issue') return;
    if (this.#pending.size === 0 && this.#o.outbox.roomy) this.#send(p);
    else this.#hold(p.actorId, p);
  }

  reset(): void {
    if (this.#over) return;
    this.end();
    this.#o.ended();
  }

  drain(): boolean {
    for (const [actorId, held] of this.#pending) {
      if (!this.#o.outbox.roomy) return false;
      this.#pending.delete(actorId);
      if (typeof held === 'string') this.#introduce(JSON.parse(held) as IssueView);
      else this.#send(held);
    }
    this.#drained?.();
    this.#drained = null;
    return true;
  }

  /** Over, silently. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#pending.clear();
    this.#o.outbox.release(this);
    this.#drained?.();
    this.#close?.();
    this.#close = null;
  }

  /** An issue that was there before the reader came. */
  #make(view: string): void {
    if (this.#over) return;
    const issue = JSON.parse(view) as IssueView;
    if (this.#known.has(issue.id) || this.#pending.has(issue.id)) return;
    if (this.#pending.size === 0 && this.#o.outbox.roomy) this.#introduce(issue);
    else this.#hold(issue.id, view);
  }

  /** Those beyond the first snapshot, a page whenever the reader has taken the last one. */
  async #rest(): Promise<void> {
    const { router, companyId } = this.#o;
    let after: number | undefined;
    try {
      for (let shown = 0; shown < MOST_LIVE && !this.#over; shown += PAGE) {
        const of = { companyId, kind: 'issue', states: LIVE, limit: PAGE };
        const { items } = await router.list(after === undefined ? of : { ...of, after });
        for (const { view } of items) this.#make(view);
        if (items.length < PAGE) return;
        after = items.at(-1)?.ordinal;
        if (this.#pending.size > 0) await new Promise<void>((resolve) => (this.#drained = resolve));
      }
    } catch {
      // The database is away: who has not been made known is when something happens to it.
    }
  }

  #hold(actorId: string, what: Published | string): void {
    // Taken out and put in again: the map stays in order.
    this.#pending.delete(actorId);
    this.#pending.set(actorId, what);
    if (this.#pending.size > MOST_PENDING) this.#o.tooSlow();
    else this.#o.outbox.hold(this);
  }

  #send(p: Published): void {
    const change = JSON.parse(p.text({ view: true, stamp: false })) as InspectedChange;
    if (!this.#known.has(p.actorId)) this.#introduce(change.issue);
    for (const text of changeTexts(change, this.#o.redact)) this.#o.outbox.send(text);
    // It has ended: it is made known anew if it should be taken up again.
    if (!(LIVE as readonly string[]).includes(p.after.state)) this.#known.delete(p.actorId);
  }

  #introduce(issue: IssueView): void {
    if (this.#known.size >= MOST_KNOWN) {
      const [oldest] = this.#known;
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    this.#known.add(issue.id);
    this.#o.outbox.send(actorText(issue, this.#o.definition(), this.#o.redact));
  }
}
