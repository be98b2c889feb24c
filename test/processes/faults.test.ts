/**
 * Real nodes on a real PostgreSQL, under load, through every fault at least once; the full counts of guarantees.md are
 * `npm run faults`. One cluster goes through all of it: what one fault leaves behind is there for the next.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type RemoteError } from '../../src/client/index.ts';
import { Chance } from '../simulation/world/chance.ts';
import { FAULTS, type FaultName } from './faults.ts';
import { Arena } from './world/arena.ts';

const TTL_MS = 2000;
const TIMEOUT_MS = 90_000;
/** A machine that runs other tests beside these is given this much to take over; `npm run faults` holds to 500 ms. */
const MARGIN_MS = 10_000;
/** How often, in this order. */
const TIMES: readonly (readonly [FaultName, number])[] = [
  ['killed', 1],
  ['retryWaits', 1],
  ['sessionsEnded', 3],
  ['paused', 1],
  ['lateCommits', 1],
  ['cut', 1],
  ['blackHole', 2],
  ['backFromBlackHole', 1],
  ['connectionsUsedUp', 1],
  ['diskFull', 1],
  ['logFull', 1],
  ['slow', 1],
  ['databaseCrash', 1],
];

describe('three nodes on one database, under load', () => {
  let arena: Arena;
  beforeAll(async () => {
    // Nothing here takes the power away from the machine: the database's processes die, what they wrote does not.
    const plan = { nodes: 3, ttlMs: TTL_MS, seams: false, settings: ['fsync=off'] };
    arena = await Arena.open(plan, new Chance('faults'), MARGIN_MS);
  }, TIMEOUT_MS);
  afterAll(() => arena.close());

  it('answer for a company that another of them serves with a code to try again and the name of its owner', async () => {
    const { company, place: owner } = await arena.victim();
    const ownersName = await nameOf(arena.load.doors.urlOf(owner));
    const other = arena.load.doors.urlOf(arena.load.doors.places.find((place) => place !== owner)!);
    const refusal = { code: 'UNAVAILABLE', retryable: true, owner: ownersName };
    const [issueId] = company.issues;
    const asked: [string, string, object?][] = [
      ['POST', `/issues/${issueId}/events`, { type: 'PRIORITY', priority: 'low' }],
      ['GET', `/issues/${issueId}`],
      ['POST', `/agents/${company.agents[0]}/claim`, { waitMs: 0 }],
      ['POST', `/companies/${company.id}/issues`, { title: 'One more' }],
      ['GET', `/companies/${company.id}/stats`],
    ];
    for (const [method, path, body] of asked) {
      const answer = await fetch(`${other}/v1${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      expect([path, answer.status, await answer.json()]).toMatchObject([path, 503, refusal]);
    }
    const client = await connect({ url: other });
    try {
      const error = await client
        .event(issueId!, { type: 'PRIORITY', priority: 'low' }, { key: null })
        .catch((thrown: RemoteError) => thrown);
      expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true, detail: { owner: ownersName } });
    } finally {
      client.close();
    }
  });

  it.each(TIMES)('heal by themselves: %s × %i', { timeout: TIMEOUT_MS }, async (name, times) => {
    const before = arena.violations.length;
    for (let n = 0; n < times; n++) {
      await FAULTS[name](arena);
      arena.faults++;
    }
    expect(arena.violations.slice(before)).toEqual([]);
  });

  it('have lost nothing that was acknowledged, done nothing twice, fired every retry, none early, and told all of it in order', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const before = arena.violations.length;
    const { entries, fired } = await arena.verdict();
    expect(arena.violations.slice(before)).toEqual([]);
    expect(arena.load.acknowledged).toBeGreaterThan(100);
    expect(entries).toBeGreaterThan(arena.load.acknowledged / 2);
    expect(fired).toBeGreaterThan(5);
    expect(arena.followers.changes).toBeGreaterThan(100);
    expect(arena.followers.resumes).toBeGreaterThan(10);
  });
});

async function nameOf(url: string): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return ((await answer.json()) as { node: string }).node;
}
