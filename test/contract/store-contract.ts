/** The one suite of store.ts, run by both implementations. S1–S4 are its invariants. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Store } from '../../src/persistence/store.ts';
import type { Harness } from './harness.ts';
import { all, batch, company, entry, HOME, id, only, own, record, row } from './rows.ts';

const TTL_MS = 60_000;
const NEXT = HOME + 1;

export function storeContract(name: string, open: () => Promise<Harness>): void {
  describe(name, () => {
    let harness: Harness;
    let store: Store;
    let epochs: Map<number, number>;

    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(async () => {
      await harness.reset();
      store = harness.node('n1');
      epochs = await own(store, 'n1');
      await harness.catalog.createCompany(company(1));
      await harness.catalog.createCompany(company(1, NEXT));
    });

    const commit = (writes: Parameters<typeof batch>[2], at = only(epochs, HOME)) =>
      store.commit(batch('n1', at, writes));

    describe('commit', () => {
      it('stores rows, entries and records as they were given', async () => {
        const rows = [
          row(1, { pool: 'a1', holds: true, rank: 7, dueAt: 9, substate: 'queued', assignee: 'a1' }),
        ];
        const outcome = await commit({ rows, entries: [entry(1)], records: [record(1)] });
        expect(outcome).toEqual({ is: 'committed', proved: new Set([HOME]) });
        const dump = await harness.dump();
        expect(dump.actors).toEqual(rows);
        expect(dump.entries).toEqual([entry(1, id('i', 1), 1, { epoch: epochs.get(HOME)! })]);
        expect(dump.records).toEqual([record(1)]);
      });

      it('S1: a stale epoch writes nothing, the other partitions of the batch do', async () => {
        const other = id('i', 1, NEXT);
        const outcome = await commit(
          {
            rows: [row(1), row(1, { id: other })],
            entries: [entry(1), entry(1, other)],
            records: [record(1), record(1, { actorId: other })],
          },
          new Map([
            [HOME, epochs.get(HOME)! - 1],
            [NEXT, epochs.get(NEXT)!],
          ]),
        );
        expect(outcome).toEqual({ is: 'committed', proved: new Set([NEXT]) });
        const dump = await harness.dump();
        expect([...dump.actors, ...dump.entries, ...dump.records].map((x) => x.partition)).toEqual([
          NEXT,
          NEXT,
          NEXT,
        ]);
      });

      it('S1: the right epoch under another name writes nothing', async () => {
        const outcome = await store.commit(batch('n2', only(epochs, HOME), { rows: [row(1)] }));
        expect(outcome).toEqual({ is: 'committed', proved: new Set() });
        expect((await harness.dump()).actors).toEqual([]);
      });

      it('S1: what is of no partition of the batch is not written', async () => {
        await commit({ rows: [row(1, { id: id('i', 1, NEXT) })] });
        expect((await harness.dump()).actors).toEqual([]);
      });

      it('S2: the same batch again changes nothing', async () => {
        const writes = { rows: [row(1)], entries: [entry(1)], records: [record(1)] };
        await commit(writes);
        const before = await harness.dump();
        expect((await commit(writes)).is).toBe('committed');
        expect(await harness.dump()).toEqual(before);
      });

      it('S2: an older version does not overwrite a newer one', async () => {
        await commit({ rows: [row(1, { version: 5, state: 'done' })] });
        await commit({ rows: [row(1, { version: 4, state: 'idle' })] });
        expect((await store.load([id('i', 1)])).map((r) => [r.version, r.state])).toEqual([[5, 'done']]);
      });

      it('S3: one row that cannot be stored keeps the whole batch out', async () => {
        const outcome = await commit({
          rows: [row(1), row(2, { head: null })],
          entries: [entry(1)],
          records: [record(1)],
        });
        expect(outcome.is).toBe('rejected');
        const { actors, entries, records } = await harness.dump();
        expect([actors, entries, records]).toEqual([[], [], []]);
      });

      it('rejects an ordinal that another actor has', async () => {
        await commit({ rows: [row(1)] });
        const outcome = await commit({ rows: [row(2, { ordinal: 1 })] });
        expect(outcome).toMatchObject({ is: 'rejected', journalled: false });
      });

      it('rejects a version of an actor that the journal has at another seq, and says that this is why', async () => {
        await commit({ rows: [row(1)], entries: [entry(1)] });
        const outcome = await commit({ entries: [entry(2, id('i', 1), 1)] });
        expect(outcome).toMatchObject({ is: 'rejected', journalled: true });
      });

      it('rejects the birth of an actor that was deleted while the journal knows of it, and says so', async () => {
        await commit({ rows: [row(1, { state: 'done', updatedAt: 1 }), row(2)], entries: [entry(1)] });
        const held = { owner: 'n1', epochs: only(epochs, HOME) };
        expect(await store.prune(held, 100, ['done'], 10_000, 100)).toBe(1);
        const outcome = await commit({
          rows: [row(3, { id: id('i', 1) })],
          entries: [entry(2, id('i', 1), 1)],
        });
        expect(outcome).toMatchObject({ is: 'rejected', journalled: true });
        expect(await store.load([id('i', 1)])).toEqual([]);
      });

      it('keeps the head when a later version brings none', async () => {
        await commit({ rows: [row(1)] });
        await commit({ rows: [row(1, { version: 2, head: null })] });
        await commit({ rows: [row(2), row(1, { version: 3, head: null, dueAt: 4 })] });
        expect((await store.load([id('i', 1)]))[0]).toEqual(row(1, { version: 3, dueAt: 4 }));
      });

      it.each([
        ['quotes and backslashes', JSON.stringify({ t: '"\\ \' {,} \\N null \t\r\n' })],
        ['all of Unicode', JSON.stringify({ t: 'żółć 漢字 👩‍👩‍👧 \u2028\u2029 \uffff' })],
        ['lone surrogates and NUL, escaped', JSON.stringify({ t: '\ud800 \u0000' })],
        ['control characters, escaped', JSON.stringify({ t: '\x1e \x1f \x00 \x7f' })],
        ['nothing much', '{}'],
        ['white space', ' [ 1 ,\n 2 ] '],
        ['null', 'null'],
        ['duplicate keys', '{"a":1,"a":2}'],
        ['much', JSON.stringify({ t: 'x'.repeat(300_000) })],
      ])('stores texts byte for byte: %s', async (_, text) => {
        const rows = [row(1, { snapshot: text, head: text, state: '', substate: '' }), row(2)];
        await commit({
          rows,
          entries: [entry(1, id('i', 1), 1, { entry: text })],
          records: [record(1, { record: text })],
        });
        const dump = await harness.dump();
        expect(dump.actors).toEqual(rows);
        expect(dump.entries[0]?.entry).toBe(text);
        expect(dump.records[0]?.record).toBe(text);
      });

      it('stores a batch of 2,000 rows over 50 partitions', async () => {
        const actors = Array.from({ length: 2_000 }, (_, n) => id('i', n + 1, n % 50));
        const rows = actors.map((actor, n) => row(n + 1, { id: actor }));
        const entries = actors.map((actor, n) => entry(n + 1, actor, 1));
        const fifty = only(epochs, ...Array.from({ length: 50 }, (_, n) => n));
        const outcome = await commit({ rows, entries }, fifty);
        expect(outcome).toEqual({ is: 'committed', proved: new Set(fifty.keys()) });
        const dump = await harness.dump();
        expect([dump.actors.length, dump.entries.length]).toEqual([2_000, 2_000]);
      });

      it('an empty batch proves its partitions all the same', async () => {
        expect(await commit({})).toEqual({ is: 'committed', proved: new Set([HOME]) });
        expect(await commit({}, new Map())).toEqual({ is: 'committed', proved: new Set() });
      });
    });

    describe('ownership', () => {
      it('a living owner keeps its partitions, a node silent for the TTL loses them', async () => {
        const second = harness.node('n2');
        await second.beat('n2');
        expect(await second.acquire('n2', TTL_MS, 4096, new Set())).toEqual([]);
        await harness.silence('n1');
        const taken = await second.acquire('n2', TTL_MS, 4096, new Set());
        expect(taken.length).toBe(4096);
        expect(taken.every(({ partition, epoch }) => epoch > epochs.get(partition)!)).toBe(true);
      });

      it('S1: what the old owner commits after a takeover lands nowhere', async () => {
        await harness.silence('n1');
        await own(harness.node('n2'), 'n2');
        expect(await commit({ rows: [row(1)] })).toEqual({ is: 'committed', proved: new Set() });
        expect((await harness.dump()).actors).toEqual([]);
      });

      it('takes at most as many as wanted, lowest first', async () => {
        await store.release('n1', [7, 3, 9]);
        const taken = await harness.node('n2').acquire('n2', TTL_MS, 2, new Set());
        expect(taken.map((o) => o.partition)).toEqual([3, 7]);
      });

      it('gives a released partition away at once, and its epoch still grows', async () => {
        await store.release('n1', [5]);
        expect(await store.owners([5])).toEqual([{ partition: 5, owner: null, epoch: epochs.get(5) }]);
        const [taken] = await harness.node('n2').acquire('n2', TTL_MS, 1, new Set());
        expect(taken?.partition).toBe(5);
        expect(taken!.epoch).toBeGreaterThan(epochs.get(5)!);
        expect((await store.owners([5]))[0]?.owner).toBe('n2');
      });

      it("releases nothing that is another node's", async () => {
        await harness.node('n2').release('n2', [5]);
        expect((await store.owners([5]))[0]?.owner).toBe('n1');
      });

      it('gives a node what the answer to it was lost, and leaves what it holds alone', async () => {
        const holding = new Set(epochs.keys());
        holding.delete(8);
        const again = await store.acquire('n1', TTL_MS, 4096, holding);
        expect(again.map((o) => o.partition)).toEqual([8]);
        expect(again[0]!.epoch).toBeGreaterThan(epochs.get(8)!);
      });

      it('S4: nodes that look at the same time share nothing', async () => {
        await store.release('n1', [...epochs.keys()]);
        const names = ['n2', 'n3', 'n4'];
        await Promise.all(names.map((node) => harness.node(node).beat(node)));
        const taken = await Promise.all(
          names.map((node) => harness.node(node).acquire(node, TTL_MS, 2_000, new Set())),
        );
        const partitions = taken.flat().map((o) => o.partition);
        expect(new Set(partitions).size).toBe(partitions.length);
      });

      it('an epoch is never below the clock in ms, and a beat tells that clock and how much is owned', async () => {
        const { databaseNow, owned } = await store.beat('n1');
        expect(owned).toBe(epochs.size);
        expect((await harness.node('n2').beat('n2')).owned).toBe(0);
        expect(databaseNow).toBeGreaterThan(1_600_000_000_000);
        expect(epochs.get(HOME)!).toBeLessThanOrEqual(databaseNow);
        expect(epochs.get(HOME)!).toBeGreaterThan(databaseNow - 600_000);
      });
    });

    describe('reads', () => {
      it('load answers each actor once and leaves out what is not there', async () => {
        await commit({ rows: [row(1), row(2)] });
        const loaded = await store.load([id('i', 2), id('i', 1), id('i', 2), id('i', 3), 'nonsense']);
        expect(loaded.map((r) => r.ordinal).sort()).toEqual([1, 2]);
        expect(await store.load([])).toEqual([]);
      });

      it('live pages through every actor with a pool, and no other', async () => {
        const rows = Array.from({ length: 2_300 }, (_, n) =>
          row(n + 1, { id: id('i', n + 1, HOME + (n % 3)), pool: n % 10 === 9 ? null : `a${n % 7}` }),
        );
        await commit({ rows }, only(epochs, HOME, HOME + 1, HOME + 2));
        const pages: number[] = [];
        const seen = new Set<string>();
        for await (const page of store.live([HOME, HOME + 2])) {
          pages.push(page.length);
          for (const actor of page) seen.add(actor.id);
        }
        expect(Math.max(...pages)).toBeLessThanOrEqual(1_000);
        const wanted = rows.filter((r) => r.pool !== null && r.partition !== HOME + 1).map((r) => r.id);
        expect([...seen].sort()).toEqual(wanted.sort());
        expect(await all(store.live([]))).toEqual([]);
      });

      it('counters tell where numbering stands, also of a company that has done nothing', async () => {
        await commit({
          rows: [
            row(1),
            row(2),
            row(1, { id: id('a', 1), kind: 'agent' }),
            row(1, { id: id('z', 1), kind: 'zone' }),
          ],
          entries: [entry(1), entry(2)],
        });
        const prefix = company(1).prefix;
        expect(await store.counters([HOME, NEXT])).toEqual([
          { companyId: id('c', 1), prefix, seq: 2, ordinals: { agent: 1, issue: 2, zone: 1 } },
          { companyId: id('c', 1, NEXT), prefix: company(1, NEXT).prefix, seq: 0, ordinals: {} },
        ]);
        expect(await store.counters([1])).toEqual([]);
      });

      it('due answers the earliest timers first, in keyset pages', async () => {
        const at = [30, 10, 20, 10, null, 40];
        await commit({ rows: at.map((dueAt, n) => row(n + 1, { dueAt, version: n + 1 })) });
        const mine = new Set([HOME]);
        const first = await store.due(mine, 40, 3);
        expect(first).toEqual([
          { id: id('i', 2), dueAt: 10, version: 2 },
          { id: id('i', 4), dueAt: 10, version: 4 },
          { id: id('i', 3), dueAt: 20, version: 3 },
        ]);
        expect(await store.due(mine, 40, 3, first[0])).toEqual([
          ...first.slice(1),
          { id: id('i', 1), dueAt: 30, version: 1 },
        ]);
        expect(await store.due(mine, 40, 9, first[2])).toEqual([{ id: id('i', 1), dueAt: 30, version: 1 }]);
        expect(await store.due(new Set([NEXT]), 99, 9)).toEqual([]);
        expect((await store.due(new Set(epochs.keys()), 99, 9)).length).toBe(5);
      });

      describe('snapshot', () => {
        beforeEach(async () => {
          const snapshot = (attempt: unknown) => JSON.stringify({ value: 'x', context: { attempt } });
          await commit({
            rows: [
              row(3, {
                state: 'running',
                substate: 'queued',
                dueAt: 7,
                assignee: 'a1',
                pool: 'a1',
                priority: 0,
                snapshot: snapshot(2),
              }),
              row(1, { state: 'idle', assignee: 'a2', priority: 3, head: '{"title":"Fix ÄPFEL now"}' }),
              row(2, { state: 'done', assignee: 'a1', snapshot: snapshot('9') }),
              row(4, { state: 'scheduled-retry', assignee: 'a1', snapshot: snapshot(0.5) }),
              row(1, { id: id('a', 1), kind: 'agent' }),
            ],
            entries: [entry(1), entry(2)],
          });
        });

        it.each([
          ['all', {}, [1, 2, 3, 4]],
          ['a page', { limit: 2 }, [1, 2]],
          ['the next page', { after: 2, limit: 1 }, [3]],
          ['states', { states: ['idle', 'done'] }, [1, 2]],
          ['no state', { states: [] }, []],
          ['substates', { substates: ['running.queued'] }, [3]],
          ['states or substates', { states: ['done'], substates: ['running.queued', 'done.x'] }, [2, 3]],
          ['an assignee', { assignee: 'a1' }, [2, 3, 4]],
          ['priorities', { priorities: [0, 3] }, [1, 3]],
          ['a number of the snapshot', { atLeast: { path: ['context', 'attempt'], value: 0.5 } }, [3, 4]],
          ['a missing number', { atLeast: { path: ['context', 'x', 'y'], value: 0 } }, []],
          ['a text of the head, case ignored', { contains: { keys: ['no', 'title'], text: 'äpfel' } }, [1]],
          ['a text with signs', { contains: { keys: ['title'], text: '%' } }, []],
          ['everything about one', { about: { id: 'a1', states: ['scheduled-retry'] } }, [3, 4]],
          ['an ordinal', { ordinal: 2 }, [2]],
          ['all at once', { states: ['running'], assignee: 'a1', priorities: [0], after: 1 }, [3]],
        ])('lists by %s', async (_, some, ordinals) => {
          const query = { companyId: id('c', 1), kind: 'issue', limit: 100, ...some };
          const { seq, rows } = await store.snapshot(query);
          expect(seq).toBe(2);
          expect(rows.map((r) => r.ordinal)).toEqual(ordinals);
          const index = await store.index(query);
          expect([index.seq, index.count, JSON.parse(index.ordinals)]).toEqual([
            2,
            ordinals.length,
            ordinals,
          ]);
          expect(JSON.parse(index.ids)).toEqual(rows.map((r) => r.id));
          expect(JSON.parse(index.dues)).toEqual(rows.map((r) => r.dueAt));
        });

        it('answers whole rows, and seq 0 for a company that has no entry', async () => {
          const { rows } = await store.snapshot({ companyId: id('c', 1), kind: 'agent', limit: 9 });
          expect(rows).toEqual([row(1, { id: id('a', 1), kind: 'agent' })]);
          expect(await store.snapshot({ companyId: id('c', 9), kind: 'issue', limit: 9 })).toEqual({
            seq: 0,
            rows: [],
          });
        });
      });

      it('counts by kind, state and substate, with the timers to come', async () => {
        await commit({
          rows: [
            row(1, { dueAt: 5 }),
            row(2, { dueAt: 50 }),
            row(3, { state: 'running', substate: 'queued' }),
            row(1, { id: id('a', 1), kind: 'agent', state: 'active' }),
          ],
          entries: [entry(1)],
        });
        const { seq, rows, due } = await store.counts(id('c', 1), 50);
        expect([seq, due]).toEqual([1, 1]);
        expect(rows).toEqual([
          { kind: 'agent', state: 'active', substate: null, count: 1 },
          { kind: 'issue', state: 'idle', substate: null, count: 2 },
          { kind: 'issue', state: 'running', substate: 'queued', count: 1 },
        ]);
        expect(await store.counts(id('c', 9), 50)).toEqual({ seq: 0, rows: [], due: 0 });
      });

      it('entries and history page in order', async () => {
        const second = id('i', 2);
        await commit({
          rows: [row(1), row(2)],
          entries: [entry(1), entry(2, second, 1), entry(3, id('i', 1), 2), entry(4, second, 2)],
        });
        const page = await store.entries(id('c', 1), 1, 2);
        expect([page.oldest, page.head, page.entries.map((e) => e.seq)]).toEqual([1, 4, [2, 3]]);
        expect(page.entries[0]).toEqual(entry(2, second, 1, { epoch: epochs.get(HOME)! }));
        expect((await store.history(second, 0, 1)).map((e) => e.seq)).toEqual([2]);
        expect((await store.history(second, 1, 9)).map((e) => e.seq)).toEqual([4]);
        expect(await store.entries(id('c', 9), 0, 9)).toEqual({ oldest: 1, head: 0, entries: [] });
      });

      it('records page by time, those of a company by actor, and one is found by its key', async () => {
        const second = id('i', 2);
        const runs = [record(2, { at: 7 }), record(1, { at: 7 }), record(3, { at: 6 })];
        const others = [
          record(1, { actorId: second }),
          record(9, { kind: 'comment', record: '{"agentId":1}' }),
        ];
        await commit({ records: [...runs, ...others] });
        const first = await store.records(id('i', 1), 'run', 2);
        expect(first).toEqual([runs[2], runs[1]]);
        expect(await store.records(id('i', 1), 'run', 9, first[1])).toEqual([runs[0]]);
        const ofCompany = (
          equals: { key: string; value: string } | null,
          after?: { actorId: string; id: string },
        ) => store.companyRecords(id('c', 1), 'run', 2, equals, after);
        const page = await ofCompany(null);
        expect(page).toEqual([runs[1], runs[0]]);
        expect(await ofCompany(null, page[1])).toEqual([runs[2], others[0]]);
        expect(await ofCompany({ key: 'agentId', value: 'a0' })).toEqual([runs[0]]);
        expect(await store.companyRecords(id('c', 1), 'comment', 9, { key: 'agentId', value: '1' })).toEqual(
          [],
        );
        expect(await store.record(id('i', 1), 'run', runs[0]!.id)).toEqual(runs[0]);
        expect(await store.record(id('i', 1), 'comment', runs[0]!.id)).toBeNull();
      });
    });

    describe('prune', () => {
      const prune = (some: { before?: number; keep?: number; limit?: number } = {}) =>
        store.prune(held(HOME), some.before ?? 6_000, ['done'], some.keep ?? 0, some.limit ?? 100);
      const held = (partition: number) => ({ owner: 'n1', epochs: only(epochs, partition) });

      it('deletes entries from the old end only, keeps the last, and says which is the oldest', async () => {
        const at = [1, 2, 9_000, 3, 4];
        await commit({ entries: at.map((time, n) => entry(n + 1, id('i', 1), n + 1, { at: time })) });
        expect(await prune()).toBe(2);
        expect((await store.entries(id('c', 1), 0, 9)).oldest).toBe(3);
        expect(await prune({ before: 10_000, keep: 2 })).toBe(1);
        expect(await prune({ before: 10_000 })).toBe(1);
        const left = await store.entries(id('c', 1), 0, 9);
        expect([left.oldest, left.head]).toEqual([5, 5]);
      });

      it('deletes ended actors with their records, but not the newest of a kind: its number would come again', async () => {
        await commit({
          rows: [
            row(1, { state: 'done' }),
            row(2),
            row(3, { state: 'done', updatedAt: 9_000 }),
            row(4, { state: 'done' }),
          ],
          records: [record(1, { at: 9_000 }), record(2, { at: 9_000, actorId: id('i', 2) })],
        });
        expect(await prune()).toBe(2);
        const dump = await harness.dump();
        expect(dump.actors.map((r) => r.ordinal)).toEqual([2, 3, 4]);
        expect(dump.records.map((r) => r.actorId)).toEqual([id('i', 2)]);
      });

      it('keeps an ended actor for as long as it wants or holds a slot, or has a timer', async () => {
        await commit({
          rows: [
            row(1, { state: 'done', pool: id('a', 1), holds: true, rank: 0 }),
            row(2, { state: 'done', pool: id('a', 1), holds: false, rank: 7 }),
            row(3, { state: 'done', dueAt: 9_000 }),
            row(4),
          ],
        });
        expect(await prune()).toBe(0);
        await commit({ rows: [1, 2, 3].map((n) => row(n, { state: 'done', version: 2, head: null })) });
        expect(await prune()).toBe(3);
        expect((await harness.dump()).actors.map((r) => r.ordinal)).toEqual([4]);
      });

      it('deletes nothing for a node that does not hold the partition, or held it at an epoch before', async () => {
        await commit({
          rows: [row(1, { state: 'done' }), row(2)],
          entries: [entry(1), entry(2)],
          records: [record(1)],
        });
        const { owner, epochs: now } = held(HOME);
        const before = new Map([[HOME, epochs.get(HOME)! - 1]]);
        for (const stale of [
          { owner: 'n2', epochs: now },
          { owner, epochs: before },
        ])
          expect(await store.prune(stale, 6_000, ['done'], 0, 9)).toBe(0);
        expect(await prune()).toBe(3);
      });

      it('takes the run logs along', async () => {
        await commit({
          rows: [row(1, { state: 'done' }), row(2)],
          records: [record(1, { actorId: id('i', 2), at: 1 })],
        });
        const line = { at: 1, stream: 'out', text: 'x' };
        for (const run of [`${id('i', 1)}.7`, `${id('i', 2)}.1`, `${id('i', 2)}.2`])
          await harness.catalog.appendLog(run, [line]);
        expect(await prune()).toBe(2);
        const left = async (run: string) => (await harness.catalog.log(run, 0, 9)).length;
        expect(await left(`${id('i', 1)}.7`)).toBe(0);
        expect(await left(`${id('i', 2)}.1`)).toBe(0);
        expect(await left(`${id('i', 2)}.2`)).toBe(1);
      });

      it('works in chunks until nothing is left', async () => {
        await commit({
          rows: [1, 2, 3, 4].map((n) => row(n, { state: 'done' })),
          entries: [1, 2, 3, 4, 5].map((n) => entry(n)),
          records: [1, 2, 3].map((n) => record(n)),
        });
        const gone: number[] = [];
        for (let n = await prune({ limit: 3 }); n > 0; n = await prune({ limit: 3 })) gone.push(n);
        expect(gone).toEqual([3, 3, 3, 1]);
        expect(await store.prune(held(NEXT), 9_999, ['done'], 0, 9)).toBe(0);
      });
    });

    it('says what the database is', async () => {
      const { product, version } = await store.check();
      expect(product).toMatch(/^(PostgreSQL|memory)$/);
      expect(version).toMatch(/^\d/);
    });
  });
}
