/**
 * The board of counts: how many actors of a company are in which state. Counted once out of the database, then kept by
 * the changes that land; given up when nobody has asked for a while.
 */
import { createStore } from '@xstate/store';
import type { Columns } from '../machines/kind.ts';
import type { Company } from './company.ts';
import type { Node } from './node.ts';
import { Rates } from './rates.ts';
import type { Published, Stats } from './router.ts';

/** A board nobody asked for is given up after this, ms. */
const KEPT_MS = 60_000;
/** Counted anew after this, ms: timers come near, and what retention deletes is no change. */
const COUNTED_MS = 10_000;
const HOUR_MS = 3_600_000;

/** By name of a state, and by dotted name of a substate. */
type Counts = Readonly<Record<string, number>>;

function countsOf(state: string, substate: string | null, by: number, counts: Counts): Counts {
  const next = { ...counts, [state]: (counts[state] ?? 0) + by };
  if (substate !== null) {
    const name = `${state}.${substate}`;
    next[name] = (next[name] ?? 0) + by;
  }
  return next;
}

function nameOf({ state, substate }: Columns): string {
  return substate === null ? state : `${state}.${substate}`;
}

/** Pure: what the board knows and how it changes. */
function createBoard(states: readonly string[]) {
  const none = Object.fromEntries(states.map((state) => [state, 0]));
  return createStore({
    context: { seq: -1, counts: none as Counts, due: 0 },
    on: {
      counted: (
        board,
        event: {
          seq: number;
          due: number;
          rows: readonly { state: string; substate: string | null; count: number }[];
        },
      ) => {
        // Changes that landed since this was read are not in it.
        if (event.seq < board.seq) return { ...board, due: event.due };
        let counts: Counts = none;
        for (const row of event.rows) counts = countsOf(row.state, row.substate, row.count, counts);
        return { ...board, seq: event.seq, due: event.due, counts };
      },
      changed: (board, event: { seq: number; before: Columns | null; after: Columns }) => {
        if (event.seq <= board.seq) return board;
        let { counts } = board;
        if (event.before) counts = countsOf(event.before.state, event.before.substate, -1, counts);
        counts = countsOf(event.after.state, event.after.substate, 1, counts);
        return { ...board, counts, seq: event.seq };
      },
    },
  });
}

interface Kept {
  readonly board: ReturnType<typeof createBoard>;
  readonly rates: Rates;
  askedAt: number;
  countedAt: number;
  readonly counted: Promise<void>;
  readonly unlisten: () => void;
}

export class Boards {
  private readonly kept = new Map<string, Kept>();
  private readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }

  async stats(company: Company): Promise<Stats> {
    const now = this.node.clock.now();
    let kept = this.kept.get(company.id);
    if (!kept) {
      kept = this.open(company);
      this.kept.set(company.id, kept);
    }
    kept.askedAt = now;
    await kept.counted;
    if (now - kept.countedAt > COUNTED_MS) {
      kept.countedAt = now;
      await this.count(company, kept.board);
    }
    const { counts, due } = kept.board.getSnapshot().context;
    const named = (dotted: boolean) =>
      Object.fromEntries(Object.entries(counts).filter(([name]) => name.includes('.') === dotted));
    return {
      companyId: company.id,
      seq: company.feed.head,
      byState: named(false),
      bySubstate: named(true),
      dueInNextHour: due,
      ...kept.rates.at(Math.floor(now / 1000)),
    };
  }

  private async count(company: Company, board: Kept['board']): Promise<void> {
    const { kinds, store, clock } = this.node;
    const { seq, due, rows } = await store.counts(company.id, clock.now() + HOUR_MS);
    board.trigger.counted({ seq, due, rows: rows.filter((row) => kinds.get(row.kind)?.grant) });
  }

  private open(company: Company): Kept {
    const { node } = this;
    const work = [...node.kinds.values()].filter((kind) => kind.grant);
    const names = new Set(work.map((kind) => kind.kind));
    const board = createBoard(work.flatMap((kind) => Object.keys(kind.machine.config.states ?? {})));
    const rates = new Rates();
    let buffer: Published[] | null = [];
    const apply = (p: Published) => {
      const { seq, type, before, after } = p;
      const isWork = names.has(p.kind);
      const taken = { type, from: before && nameOf(before), to: nameOf(after) };
      rates.add(isWork ? taken : null, Math.floor(node.clock.now() / 1000));
      if (isWork) board.trigger.changed({ seq, before, after });
    };
    const close = () => {
      unlisten();
      this.kept.delete(company.id);
    };
    const unlisten = company.feed.listen(
      { all: true },
      {
        take: (p) => {
          if (buffer) buffer.push(p);
          else if (node.clock.now() - (this.kept.get(company.id)?.askedAt ?? 0) > KEPT_MS) close();
          else apply(p);
        },
        over: () => this.kept.delete(company.id),
      },
    );
    const now = node.clock.now();
    const counted = (async () => {
      try {
        await this.count(company, board);
        for (const p of buffer ?? []) apply(p);
        buffer = null;
      } catch (error) {
        close();
        throw error;
      }
    })();
    return { board, rates, askedAt: now, countedAt: now, counted, unlisten };
  }
}
