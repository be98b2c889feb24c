/**
 * A list of issues of any length, of which only what is seen is read. Which issues are in it comes from the index, the
 * rows that are seen by pages, and every change after the index's seq over the WebSocket; nothing is asked for again
 * while the connection stands.
 *
 *     loading ──index──► ready ──snapshot instead of a resume──► loading
 *        └── refused ──► failed
 *
 * - IL1 A row is never replaced by an older version of itself, whichever way it came.
 * - IL2 A change at or below the index's seq moves nothing: the index has it already.
 * - IL3 At most KEPT_ROWS rows are held; those far from what is seen are forgotten first.
 */
import { type Signal, signal } from '@preact/signals';
import { createStore } from '@xstate/store';
import type { Change, Client, Company, RemoteError, Subscription } from '../../../src/client/index.ts';
import { whole } from '../../../src/client/put-aside.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { pageClock } from '../clock.ts';
import { watched } from '../watched.ts';
import { type Filter, fits, type Order, paramsOf, whereOf } from './filter.ts';
import { NOWHERE, numberOf, type Places, placed, placeOf } from './places.ts';

interface Held {
  phase: { is: 'loading' } | { is: 'ready' } | { is: 'failed'; error: RemoteError };
  places: Places;
  /** There are more than an index holds. */
  more: boolean;
  seq: number;
}

const PAGE = 200;
const KEPT_ROWS = 4000;
/** Up to so many are read whole, so that they can be sorted by what comes next. */
export const SORTABLE = 2000;
/** A moment after the last scroll, so that what flies by is not asked for. */
const SETTLE_MS = 50;
/** How often a list sorted by what comes next is sorted anew, at most. */
const SORT_MS = 400;

let lists = 0;

export class IssueList {
  /** No two are the same: what is drawn of one is not drawn of another. */
  readonly key = ++lists;
  readonly #client: Client;
  readonly #company: Pick<Company, 'id' | 'prefix'>;
  readonly #filter: Filter;
  readonly #store = createStore({
    context: { phase: { is: 'loading' }, places: NOWHERE, more: false, seq: 0 } as Held,
    on: {
      loading: (held) => ({ ...held, phase: { is: 'loading' } as Held['phase'] }),
      indexed: (_held, { places, more, seq }: { places: Places; more: boolean; seq: number }) => ({
        phase: { is: 'ready' } as Held['phase'],
        places,
        more,
        seq,
      }),
      failed: (held, { error }: { error: RemoteError }) => ({
        ...held,
        phase: { is: 'failed', error } as Held['phase'],
      }),
      moved: (held, { places }: { places: Places }) => (places === held.places ? held : { ...held, places }),
    },
  });
  readonly held = watched(this.#store);
  readonly #rows = new Map<number, Signal<IssueView | null>>();
  #seen = { from: 0, to: 0 };
  #order: Order = 'newest';
  #sorted: { of: Places; at: number; numbers: readonly number[] } | null = null;
  #settle = () => {};
  #reading = false;
  #subscription: Subscription | null = null;
  #isOver = false;
  #unlisten = () => {};

  constructor(client: Client, company: Pick<Company, 'id' | 'prefix'>, filter: Filter) {
    this.#client = client;
    this.#company = company;
    this.#filter = filter;
    void this.#open();
  }

  get length(): number {
    return this.held.value.places.numbers.length;
  }

  /** The number of the issue that is `at` in the order; undefined past the end. */
  numberAt(at: number, order: Order): number | undefined {
    const { numbers } = this.held.value.places;
    if (order === 'oldest') return numbers[at];
    if (order === 'newest' || numbers.length > SORTABLE) return numbers[numbers.length - 1 - at];
    return this.#byNext()[at];
  }

  indexOf(number: number, order: Order): number {
    const { places } = this.held.value;
    const at = placeOf(places, number);
    if (at < 0) return -1;
    if (order === 'oldest') return at;
    if (order === 'newest' || places.numbers.length > SORTABLE) return places.numbers.length - 1 - at;
    return this.#byNext().indexOf(number);
  }

  idOf(number: number): string | undefined {
    const { places } = this.held.value;
    return places.ids[placeOf(places, number)];
  }

  /** The row of an issue, null until it is here. */
  row(number: number): Signal<IssueView | null> {
    let row = this.#rows.get(number);
    if (row === undefined) {
      row = signal(null);
      this.#rows.set(number, row);
    }
    return row;
  }

  /** An issue as an answer showed it, for instance that to an event. */
  saw(shown: IssueView): void {
    const issue = this.#whole(shown);
    const row = this.row(numberOf(issue.identifier));
    const before = row.peek();
    if (before === null || before.version <= issue.version) row.value = issue;
  }

  /** One whose stored state cannot be read does not say what it is called: its place does. */
  #whole(shown: IssueView): IssueView {
    const { numbers, ids } = this.#store.getSnapshot().context.places;
    return whole(shown, () => `${this.#company.prefix}-${numbers[ids.indexOf(shown.id)] ?? 0}`);
  }

  /** Rows `from` to `to` of the order are on the screen: reads those that are not here. */
  see(from: number, to: number, order: Order): void {
    this.#seen = { from, to };
    this.#order = order;
    this.#settle();
    this.#settle = pageClock.after(SETTLE_MS, () => void this.#readSeen());
  }

  close(): void {
    this.#isOver = true;
    this.#unlisten();
    this.#settle();
    this.#subscription?.close();
  }

  async #open(): Promise<void> {
    try {
      const seq = await this.#index();
      const subscription = await this.#client.subscribe(
        `company:${this.#company.id}`,
        { where: whereOf(this.#filter), since: seq },
        {
          // The server could not resume: what is here may be anything by now.
          snapshot: () => void this.#again(),
          change: (change) => this.#changed(change as Change),
        },
      );
      if (this.#isOver) subscription.close();
      else this.#subscription = subscription;
    } catch (error) {
      this.#failed(error);
    }
  }

  async #again(): Promise<void> {
    if (this.#isOver) return;
    this.#store.trigger.loading();
    // What is held back is newer than any change that was missed.
    for (const row of this.#rows.values()) row.value = null;
    try {
      await this.#index();
    } catch (error) {
      this.#failed(error);
    }
  }

  async #index(): Promise<number> {
    const { seq, numbers, ids, dues, more } = await this.#client.http.issueIndex(
      this.#company.id,
      paramsOf(this.#filter),
    );
    this.#gone.clear();
    if (!this.#isOver) this.#store.trigger.indexed({ places: { numbers, ids, dues }, more, seq });
    void this.#readSeen();
    return seq;
  }

  /** It is tried again when the connection comes back. */
  #failed(error: unknown): void {
    if (this.#isOver) return;
    this.#store.trigger.failed({ error: error as RemoteError });
    this.#unlisten = this.#client.on('open', () => {
      this.#unlisten();
      this.#store.trigger.loading();
      void (this.#subscription === null ? this.#open() : this.#again());
    });
  }

  #changed({ seq, issue }: Change): void {
    if (issue === undefined) return;
    const number = numberOf(issue.identifier);
    const row = this.#rows.get(number);
    if (row !== undefined) this.saw(issue);
    const { places, seq: indexed } = this.#store.getSnapshot().context;
    if (seq <= indexed) return;
    const isIn = fits(this.#filter, issue);
    if (isIn && row === undefined) this.saw(issue);
    this.#store.trigger.moved({ places: placed(places, { number, id: issue.id, due: issue.nextAt }, isIn) });
  }

  #byNext(): readonly number[] {
    const { places } = this.held.value;
    const now = pageClock.now();
    if (this.#sorted !== null && (this.#sorted.of === places || now - this.#sorted.at < SORT_MS)) {
      const { numbers } = this.#sorted;
      // Between two sortings a list that grew or shrank is sorted at once: its length must be right.
      if (this.#sorted.of === places || numbers.length === places.numbers.length) return numbers;
    }
    const due = (at: number) => places.dues[at] ?? Number.MAX_SAFE_INTEGER;
    const numbers = places.numbers
      .map((number, at) => ({ number, due: due(at) }))
      .sort((a, b) => a.due - b.due || b.number - a.number)
      .map(({ number }) => number);
    this.#sorted = { of: places, at: now, numbers };
    return numbers;
  }

  /** Reads what is seen and not here, page by page, one at a time; what is seen may move meanwhile. */
  async #readSeen(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      for (let span = this.#missing(); span !== null && !this.#isOver; span = this.#missing()) {
        const { items } = await this.#client.http.call<{ items: IssueView[] }>(
          'GET',
          `/companies/${this.#company.id}/issues`,
          { query: { ...paramsOf(this.#filter), after: span.first - 1, limit: span.count } },
        );
        for (const issue of items) this.saw(issue);
        const [end] = items.slice(-1).map((issue) => numberOf(this.#whole(issue).identifier));
        // What the index has and the page has not is on its way out: its change is coming. Not asked for twice.
        const last = items.length < span.count ? span.last : (end ?? 0);
        this.#asked(span.first, Math.max(last, span.first));
      }
      this.#forget();
    } catch {
      // Not reached: the connection says so, and whoever scrolls asks again.
    } finally {
      this.#reading = false;
    }
  }

  /** Numbers that a page did not bring although the index has them. */
  readonly #gone = new Set<number>();

  #asked(first: number, last: number): void {
    const { places } = this.#store.getSnapshot().context;
    const from = placeOf(places, first);
    for (let at = from < 0 ? -1 - from : from; at < places.numbers.length; at++) {
      const number = places.numbers[at] as number;
      if (number > last) break;
      if (this.row(number).peek() === null) this.#gone.add(number);
    }
  }

  #missing(): { first: number; last: number; count: number } | null {
    const { numbers } = this.#store.getSnapshot().context.places;
    const isWhole = this.#order === 'next' && numbers.length <= SORTABLE;
    const low = isWhole ? 0 : this.#order === 'oldest' ? this.#seen.from : numbers.length - 1 - this.#seen.to;
    const high = isWhole
      ? numbers.length - 1
      : this.#order === 'oldest'
        ? this.#seen.to
        : numbers.length - 1 - this.#seen.from;
    let first = -1;
    let last = -1;
    let count = 0;
    for (let at = Math.max(0, low); at <= Math.min(numbers.length - 1, high) && count < PAGE; at++) {
      const number = numbers[at] as number;
      const isHere = this.#rows.get(number)?.peek() != null || this.#gone.has(number);
      if (isHere && first < 0) continue;
      if (first < 0) first = number;
      count++;
      if (!isHere) last = number;
    }
    return first < 0 ? null : { first, last, count };
  }

  #forget(): void {
    if (this.#rows.size <= KEPT_ROWS) return;
    const near = new Set<number>();
    for (let at = this.#seen.from - PAGE; at < this.#seen.to + PAGE; at++) {
      const number = this.numberAt(at, this.#order);
      if (number !== undefined) near.add(number);
    }
    for (const number of this.#rows.keys()) if (!near.has(number)) this.#rows.delete(number);
  }
}
