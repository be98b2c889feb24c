/** `baton migrate --dry-run` on a real database, and what the server then does with the same rows. */
import pg from 'pg';
import { afterAll, describe, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config.ts';
import { migrateDatabase } from '../../src/index.ts';
import { stateHash } from '../fuzz/victim.ts';
import { call, office, startServer } from '../support/server.ts';

const server = await startServer();
afterAll(() => server.stop());

async function query(text: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client(server.databaseUrl);
  await client.connect();
  await client.query(text, values);
  await client.end();
}

describe('a dry run of migrate', () => {
  it('tells for each kind and version what it would become and why, changes nothing, and the server does so', async () => {
    const o = await office(server, 'one');
    const made = [await o.issue(), await o.issue(), await o.issue(), await o.issue()];
    const [newer, unknown, broken] = made.map(({ id }) => id);
    await server.restart();
    await query('update actors set machine_version = 7 where id = $1', [newer]);
    await query('update actors set machine_version = 0 where id = $1', [unknown]);
    await query(`update actors set snapshot = '{"value":"nowhere","context":{}}' where id = $1`, [broken]);

    const before = await stateHash(server.databaseUrl, []);
    const { settings } = resolveSettings({
      flags: { 'database-url': server.databaseUrl },
      env: {},
      file: {},
    });
    const dry = await migrateDatabase(settings, { dryRun: true, log: () => {} });
    expect(await stateHash(server.databaseUrl, [])).toBe(before);
    expect(dry.migrations).toEqual([]);
    expect(dry.population).toMatchObject([
      { kind: 'agent', machineVersion: 1, becomes: 'as is', reason: null, count: 1 },
      { kind: 'issue', machineVersion: 0, becomes: 'quarantined', count: 1, example: unknown },
      { kind: 'issue', machineVersion: 1, becomes: 'as is', reason: null, count: 1 },
      { kind: 'issue', machineVersion: 1, becomes: 'quarantined', count: 1, example: broken },
      { kind: 'issue', machineVersion: 7, becomes: 'quarantined', count: 1, example: newer },
    ]);

    await server.restart();
    for (const { becomes, reason, example } of dry.population) {
      if (becomes !== 'quarantined') continue;
      const { body } = await call<{ why: { code: string; text: string } }>(
        server,
        'GET',
        `/issues/${example}`,
      );
      expect(body.why.code).toBe('quarantined');
      expect(body.why.text).toContain(reason);
    }
    expect((await call(server, 'GET', `/issues/${made[3]!.id}`)).body).toMatchObject({
      state: 'idle',
      why: { code: 'unassigned' },
    });
  });
});
