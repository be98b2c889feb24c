/** The one suite of catalog.ts, run by both implementations. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { KeyRow } from '../../src/persistence/catalog.ts';
import type { Harness } from './harness.ts';
import { company, id } from './rows.ts';

function key(n: number, some: Partial<KeyRow> = {}): KeyRow {
  return {
    id: id('k', n),
    companyId: id('c', 1),
    role: 'agent',
    agentId: id('a', 1),
    name: `Key ${n}`,
    hash: 'ab'.repeat(32),
    createdAt: 2_000,
    createdBy: 'operator',
    revokedAt: null,
    revokedBy: null,
    ...some,
  };
}

export function catalogContract(name: string, open: () => Promise<Harness>): void {
  describe(name, () => {
    let harness: Harness;
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.reset());
    const catalog = () => harness.catalog;

    it('makes a company once; the same creation again meets it; its prefix is taken', async () => {
      expect(await catalog().createCompany(company(1))).toEqual({ is: 'made', row: company(1) });
      const again = { ...company(1), name: 'Other', prefix: 'OTHER' };
      expect(await catalog().createCompany(again)).toEqual({ is: 'duplicate', row: company(1) });
      expect(await catalog().createCompany({ ...company(2), prefix: company(1).prefix })).toEqual({
        is: 'taken',
      });
      expect(await catalog().company(id('c', 2))).toBeNull();
      expect(await catalog().company(id('c', 1))).toEqual(company(1));
    });

    it('gives a prefix to one of two companies made at the same time', async () => {
      const twins = [1, 2].map((n) => catalog().createCompany({ ...company(n, n), prefix: 'SAME' }));
      const outcomes = (await Promise.all(twins)).map((made) => made.is);
      expect(outcomes.sort()).toEqual(['made', 'taken']);
    });

    it('lists companies by creation, in keyset pages', async () => {
      const rows = [company(3), { ...company(2), createdAt: 1_003 }, company(1)];
      for (const row of rows) await catalog().createCompany(row);
      const page = await catalog().companies(2);
      expect(page).toEqual([rows[2], rows[1]]);
      expect(await catalog().companies(2, page[1])).toEqual([rows[0]]);
    });

    it('makes a key once and finds it', async () => {
      const operator = key(2, { role: 'operator', agentId: null, name: null });
      expect(await catalog().createKey(operator)).toEqual({ is: 'made', row: operator });
      expect(await catalog().createKey({ ...operator, name: 'x' })).toEqual({
        is: 'duplicate',
        row: operator,
      });
      expect(await catalog().key(operator.id)).toEqual(operator);
      expect(await catalog().key(id('k', 9))).toBeNull();
    });

    it('revokes a key once: the first time and name stay', async () => {
      await catalog().createKey(key(1));
      const revoked = key(1, { revokedAt: 7, revokedBy: 'me' });
      expect(await catalog().revokeKey(id('k', 1), 7, 'me')).toEqual(revoked);
      expect(await catalog().revokeKey(id('k', 1), 8, 'you')).toEqual(revoked);
      expect(await catalog().key(id('k', 1))).toEqual(revoked);
      expect(await catalog().revokeKey(id('k', 9), 8, 'you')).toBeNull();
    });

    it('tells which of many keys are revoked or gone', async () => {
      await catalog().createKey(key(1));
      await catalog().createKey(key(2, { revokedAt: 1, revokedBy: 'x' }));
      const ids = [id('k', 3), id('k', 2), id('k', 1), id('k', 3)];
      expect(await catalog().revoked(ids)).toEqual([id('k', 2), id('k', 3)]);
      expect(await catalog().revoked([])).toEqual([]);
    });

    it("lists a company's keys in keyset pages", async () => {
      const rows = [key(2), key(1), key(3, { createdAt: 1 })];
      for (const row of rows) await catalog().createKey(row);
      await catalog().createKey(key(4, { companyId: id('c', 2) }));
      const page = await catalog().keys(id('c', 1), 2);
      expect(page).toEqual([rows[2], rows[1]]);
      expect(await catalog().keys(id('c', 1), 2, page[1])).toEqual([rows[0]]);
    });

    it('numbers log lines from 1 and goes on after those before', async () => {
      const run = `${id('i', 1)}.1`;
      const lines = ['a "quoted" \\ line', '', 'ü\n'].map((text, at) => ({ at, stream: 'out', text }));
      await catalog().appendLog(run, lines.slice(0, 2));
      await catalog().appendLog(run, []);
      await catalog().appendLog(run, lines.slice(2));
      expect(await catalog().log(run, 1, 9)).toEqual([
        { offset: 2, ...lines[1] },
        { offset: 3, ...lines[2] },
      ]);
      expect((await catalog().log(run, 0, 1)).map((line) => line.offset)).toEqual([1]);
      expect(await catalog().log(`${id('i', 1)}.2`, 0, 9)).toEqual([]);
    });

    it('keeps appends made at the same time, each whole', async () => {
      const run = `${id('i', 1)}.1`;
      const line = (text: string) => ({ at: 1, stream: 'out', text });
      await Promise.all(['a', 'b'].map((text) => catalog().appendLog(run, [line(text), line(text)])));
      const texts = (await catalog().log(run, 0, 9)).map((l) => l.text).join('');
      expect(texts).toMatch(/^(aabb|bbaa)$/);
    });

    it('stores lines once per run and key, however often and at the same time they are sent', async () => {
      const run = `${id('i', 1)}.1`;
      const lines = ['a', 'b'].map((text) => ({ at: 1, stream: 'out', text }));
      expect(await catalog().appendLog(run, lines, 'k1')).toBe('appended');
      expect(await catalog().appendLog(run, lines, 'k1')).toBe('duplicate');
      expect(await catalog().appendLog(run, lines)).toBe('appended');
      expect(await catalog().appendLog(run, lines)).toBe('appended');
      expect(await catalog().appendLog(`${id('i', 1)}.2`, lines, 'k1')).toBe('appended');
      const twins = await Promise.all([1, 2].map(() => catalog().appendLog(run, lines, 'k2')));
      expect(twins.sort()).toEqual(['appended', 'duplicate']);
      expect(await catalog().appendLog(run, lines, 'k1')).toBe('duplicate');
      const stored = await catalog().log(run, 0, 99);
      expect(stored.map((line) => line.text).join('')).toBe('abababab');
      expect(stored[7]).toEqual({ offset: 8, at: 1, stream: 'out', text: 'b' });
    });

    it('knows a key while a line of its request is kept, and a repeat takes no old line away', async () => {
      const run = `${id('i', 1)}.1`;
      const many = (count: number) =>
        Array.from({ length: count }, (_, at) => ({ at, stream: 'out', text: '' }));
      await catalog().appendLog(run, many(10), 'old');
      await catalog().appendLog(run, many(9_999), 'new');
      expect(await catalog().appendLog(run, many(10), 'old')).toBe('duplicate');
      expect(await catalog().appendLog(run, many(9_999), 'new')).toBe('duplicate');
      expect((await catalog().log(run, 0, 1))[0]?.offset).toBe(10);
      await catalog().appendLog(run, many(1));
      expect(await catalog().appendLog(run, many(10), 'old')).toBe('appended');
      expect((await catalog().log(run, 10_019, 9)).map((line) => line.offset)).toEqual([10_020]);
    });

    it('keeps the newest 10,000 lines of a run', async () => {
      const run = `${id('i', 1)}.1`;
      const lines = Array.from({ length: 12_000 }, (_, n) => ({ at: n, stream: 'out', text: `${n}` }));
      await catalog().appendLog(run, lines.slice(0, 6_000));
      await catalog().appendLog(run, lines.slice(6_000));
      expect((await catalog().log(run, 0, 1))[0]).toEqual({ offset: 2_001, ...lines[2_000] });
      await catalog().appendLog(run, lines);
      expect((await catalog().log(run, 0, 1))[0]?.offset).toBe(14_001);
      expect((await catalog().log(run, 23_999, 9)).map((l) => l.offset)).toEqual([24_000]);
    });
  });
}
