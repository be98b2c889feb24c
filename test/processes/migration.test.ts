/** A process that ends, or stands still, in the middle of a migration; and the next one on the same database. */
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pending } from '../../src/persistence/migrate.ts';
import { type FreshDatabase, freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { until } from '../support/server.ts';
import { endAllNodes, NodeProcess } from './world/node-process.ts';

const TIMEOUT_MS = 90_000;
let database: FreshDatabase;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let places = 0;

beforeEach(async () => {
  database = await freshDatabase();
  directory = await temporaryDirectory();
});
afterEach(async () => {
  endAllNodes();
  await database.drop();
  await directory.remove();
});

const options = (seams: boolean) => ({
  databaseUrl: database.url,
  dataDir: join(directory.path, `n${++places}`),
  flags: { 'node-ttl-ms': '1500' },
  seams,
});
const readiness = async (node: NodeProcess) =>
  (await (await fetch(`${node.url}/readyz`)).json()) as { ready: boolean; reason: string | null };

async function applied(): Promise<number> {
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    return (await client.query('select from baton_migrations')).rowCount ?? 0;
  } finally {
    await client.end();
  }
}

describe('a process in the middle of a migration', () => {
  it('that is killed has changed nothing, and the next one does it all', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const all = (await pending(database.url)).length;
    const dying = NodeProcess.begin(options(true), { seam: 'during migration', action: 'kill' });
    expect(await dying.exited).toMatchObject({ signal: 'SIGKILL' });
    expect(await applied()).toBe(0);
    const next = await NodeProcess.start(options(false));
    await until(
      () => readiness(next),
      ({ ready }) => ready,
      20_000,
    );
    expect(await applied()).toBe(all);
  });

  it('that stands still keeps no other from listening and saying why it is not ready; then both go on', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const still = NodeProcess.begin(options(true), { seam: 'during migration', action: 'stop' });
    await still.reached;
    const next = await NodeProcess.start(options(false));
    expect(await readiness(next)).toMatchObject({ ready: false, reason: expect.stringMatching(/./) });
    still.signal('SIGCONT');
    const nodes = [await still.listening, next];
    const ready = await until(
      async () => (await Promise.all(nodes.map(readiness))).filter((one) => one.ready).length,
      (count) => count > 0,
      20_000,
    );
    expect(ready).toBeGreaterThan(0);
    expect(await pending(database.url)).toEqual([]);
  });
});
