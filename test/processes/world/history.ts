/** Reads what a campaign left in its database and asks every check of the simulation about it (P1 to P9). */

import { agentKind } from '../../../src/machines/agent-kind.ts';
import { issueKind } from '../../../src/machines/issue-kind.ts';
import { PostgresStore } from '../../../src/persistence/postgres-store.ts';
import type { ActorRow } from '../../../src/persistence/store.ts';
import type { EntryJson } from '../../../src/supervisor/entry.ts';
import type { AnyKind } from '../../../src/supervisor/resident.ts';
import { findings } from '../../simulation/checks/checks.ts';
import { type Finding, issueOf, placeOf, replayAll, type Step } from '../../simulation/checks/evidence.ts';
import type { Seen, Told } from '../../simulation/world/witness.ts';
import { asListened, type Follower, startedOver } from './follower.ts';
import type { CampaignPostgres } from './postgres.ts';

/** How the nodes of a campaign are set up: quick retries, leases and graces, so that timers come due during faults. */
export const SETTINGS = {
  delaysMs: [250, 500, 1000, 1500],
  jitter: 0.25,
  leaseMs: 2500,
  stopGraceMs: 300,
} as const;

export const FLAGS: Readonly<Record<string, string>> = {
  'retry-delays-ms': SETTINGS.delaysMs.join(','),
  'retry-jitter': String(SETTINGS.jitter),
  'lease-ms': String(SETTINGS.leaseMs),
  'stop-grace-ms': String(SETTINGS.stopGraceMs),
  'rate-limit': 'off',
};

const REST_WITHIN_MS = 15_000;
/**
 * How late a retry may fire, ms: a read that was swallowed is given up after 10 s (src/persistence/pool.ts) and tried again,
 * and a takeover may come on top of it. A timer that was forgotten is found by a sweep, and they are 20 s apart.
 */
const LATE_MS = 13_000;

/** Waits until no timer is set and no slot is wanted or held; answers what still is. */
export async function rested(postgres: CampaignPostgres, ms = REST_WITHIN_MS): Promise<string[]> {
  const until = performance.now() + ms;
  for (;;) {
    const busy = await postgres.query<{ id: string; state: string; substate: string | null }>(
      'select id, state, substate from actors where due_at is not null or pool is not null limit 20',
    );
    if (busy.length === 0) return [];
    if (performance.now() > until)
      return busy.map(({ id, state, substate }) => `${id} does not come to rest: ${state} ${substate ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly entries: number;
  readonly fired: number;
  readonly epochs: number;
}

/** Everything that was acknowledged against everything that is there. The database must be at rest. */
export async function judge(
  postgres: CampaignPostgres,
  told: readonly Told[],
  followers: readonly Follower[],
): Promise<Verdict> {
  const entries = await journal(postgres);
  const listened = followers.flatMap((follower) => asListened(follower, entries));
  const kinds = new Map<string, AnyKind>(
    [issueKind(), agentKind({ ...SETTINGS, delaysMs: [...SETTINGS.delaysMs] })].map((kind) => [
      kind.kind,
      kind as unknown as AnyKind,
    ]),
  );
  const { steps, unreplayable } = replayAll(entries, kinds);
  const [{ now }] = (await postgres.query<{ now: number }>(
    'select extract(epoch from clock_timestamp())::float8 * 1000 as now',
  )) as [{ now: number }];
  const found = findings({
    entries,
    steps,
    unreplayable,
    rows: await actors(postgres),
    kinds,
    told,
    slips: [],
    listened,
    quarantined: new Set(),
    unarmed: [],
    overdue: [],
    stuck: [],
    surprises: [],
    thrown: [],
    pruned: new Set(),
    oldest: new Map(),
    putAside: new Set(),
    settledFrom: now,
    end: now,
    rested: true,
  });
  return {
    findings: [
      ...found,
      ...epochs(entries).map((text) => ({ check: 'P2', text })),
      ...late(steps).map((text) => ({ check: 'P4', text })),
      ...startedOver(listened).map((text) => ({ check: 'P8', text })),
    ],
    entries: entries.length,
    fired: entries.filter(({ json }) => json.type === 'RETRY.DUE').length,
    epochs: new Set(entries.map(({ row }) => row.epoch)).size,
  };
}

/** A retry fires soon after it is due, whatever happens meanwhile; a node that forgot one finds it when it looks again. */
function late(steps: readonly Step[]): string[] {
  const found: string[] = [];
  for (const { seen, before } of steps) {
    if (seen.json.type !== 'RETRY.DUE' || !before) continue;
    const dueAt = issueOf(before).run?.retry?.due;
    if (dueAt !== undefined && seen.appliedAt - dueAt > LATE_MS)
      found.push(`${placeOf(seen)} fired ${Math.round(seen.appliedAt - dueAt)} ms late`);
  }
  return found;
}

async function journal(postgres: CampaignPostgres): Promise<Seen[]> {
  const rows = await postgres.query<
    Record<'company_id' | 'actor_id' | 'entry' | 'seq' | 'epoch' | 'at', string> & {
      partition: number;
      version: number;
      applied: number;
    }
  >(`select partition, company_id, seq, actor_id, version, epoch, at, entry::text as entry,
      extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as applied
    from journal order by company_id, seq`);
  return rows.map((row) => ({
    row: {
      partition: row.partition,
      companyId: row.company_id,
      seq: Number(row.seq),
      actorId: row.actor_id,
      version: row.version,
      epoch: Number(row.epoch),
      at: Number(row.at),
      entry: row.entry,
    },
    json: JSON.parse(row.entry) as EntryJson,
    appliedAt: row.applied,
  }));
}

async function actors(postgres: CampaignPostgres): Promise<ActorRow[]> {
  const ids = await postgres.query<{ id: string }>('select id from actors order by id');
  const store = new PostgresStore({ url: postgres.url() });
  try {
    return await store.load(ids.map(({ id }) => id));
  } finally {
    await store.close();
  }
}

/** Along a company's journal the epoch never falls. */
export function epochs(entries: readonly Seen[]): string[] {
  const found: string[] = [];
  const last = new Map<string, number>();
  for (const { row } of entries) {
    const before = last.get(row.companyId) ?? 0;
    if (row.epoch < before) found.push(`${row.companyId} seq ${row.seq}: epoch ${row.epoch} after ${before}`);
    last.set(row.companyId, row.epoch);
  }
  return found;
}
