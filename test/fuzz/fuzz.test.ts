/** The small form of `npm run fuzz` (P10): fewer frames, and no clock looked at. */
import { afterAll, describe, expect, it } from 'vitest';
import { freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { endAll, spawnServer } from '../support/server-process.ts';
import { INSPECTED } from './collected.ts';
import { fuzz } from './fuzz.ts';

/** Another one each day finds more; one that failed is in the report. */
const SEED = process.env.FUZZ_SEED ?? '1';

afterAll(endAll);

describe('a server under hostile frames', () => {
  it('answers each or closes as documented, changes nothing, does not grow by them, and serves its neighbours', async () => {
    const database = await freshDatabase();
    const directory = await temporaryDirectory();
    const flags = {
      'database-url': database.url,
      'data-dir': directory.path,
      'rate-limit': 'off',
      log: 'warn',
    };
    const server = await spawnServer(flags, { ...process.env, ...INSPECTED });
    const report = await fuzz(Object.assign(server, { databaseUrl: database.url }), {
      seed: SEED,
      frames: 20_000,
      attackers: 8,
      warmUp: 10_000,
      neighbours: { count: 4, everyMs: 50, calmMs: 200 },
    });
    expect(report, `seed ${SEED}`).toMatchObject({ findings: [], stateUnchanged: true, alive: true });
    expect(report.frames).toBeGreaterThanOrEqual(20_000);
    // Garbage apart, so that a kilobyte a frame would show.
    expect(report.rss.after - report.rss.before).toBeLessThan(50);
    expect(report.attacked.events).toBeGreaterThan(0);
    expect(await server.end('SIGTERM')).toBe(0);
    await database.drop();
    await directory.remove();
  }, 120_000);
});
