/** That a campaign's followers find what breaks P8: a real node with a deliberate defect, and subscribers who come back. */
import { expect, it } from 'vitest';
import { Chance } from '../simulation/world/chance.ts';
import type { Seen } from '../simulation/world/witness.ts';
import { Arena } from './world/arena.ts';
import { asListened, startedOver } from './world/follower.ts';

const RESUMES = 3;
const WITHIN_MS = 20_000;

it('a node that sends who comes back one entry too few is found by those who follow it', {
  timeout: 60_000,
}, async () => {
  const plan = { nodes: 1, ttlMs: 2000, seams: false, defect: 'resume-off-by-one', settings: ['fsync=off'] };
  const arena = await Arena.open(plan, new Chance('followers'));
  try {
    const until = performance.now() + WITHIN_MS;
    while (arena.followers.resumes < RESUMES && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50));
    await arena.verdict();
    expect(arena.violations.join('\n')).toMatch(/P8: .* was sent \d+, expected \d+/);
    expect(arena.violations.filter((text) => !text.startsWith('P8: '))).toEqual([]);
  } finally {
    await arena.close();
  }
});

const FOLLOWED = { name: 'f', companyId: 'c1', topic: 'company', actorId: null, isPatient: false } as const;

it('what was sent before PostgreSQL committed it is no committed change', () => {
  const entry = (seq: number, appliedAt: number) =>
    ({ row: { companyId: 'c1', actorId: 'i1', seq, version: seq }, appliedAt }) as Seen;
  const change = (seq: number) => ({
    t: 'change',
    prev: seq - 1,
    change: { seq, version: seq, issueId: 'i1' },
  });
  const heard = [
    { at: 15, sent: { t: 'ok', recovered: true, seq: 1 } },
    { at: 15, sent: change(1) },
    { at: 15, sent: change(2) },
    { at: 15, sent: change(3) },
  ];
  const [listened] = asListened({ followed: FOLLOWED, sittings: [{ since: 0, heard, open: true }] }, [
    entry(1, 10),
    entry(2, 20),
  ]);
  expect(listened!.frames).toMatchObject([
    { is: 'opened', head: 1 },
    { seq: 1, committed: true },
    { seq: 2, committed: false },
    { seq: 3, committed: false },
  ]);
});

it('who came with a cursor and was sent a snapshot is found', () => {
  const opened = (since: number | null, recovered: boolean) => ({
    since,
    heard: [{ at: 1, sent: { t: 'ok', recovered, seq: 7 } }],
    open: true,
  });
  const sittings = [opened(null, false), opened(7, true), opened(8, false)];
  expect(startedOver(asListened({ followed: FOLLOWED, sittings }, []))).toEqual([
    'f.2 came with the cursor 8 and was made to begin anew',
  ]);
});
