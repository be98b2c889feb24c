/** The small form of the slow readers of `npm run fuzz` (P11): no clock looked at. */
import { afterAll, describe, expect, it } from 'vitest';
import { freshDatabase, temporaryDirectory } from '../support/postgres.ts';
import { endAll, spawnServer } from '../support/server-process.ts';
import { readers } from './readers.ts';

afterAll(endAll);

describe('a reader that stalls', () => {
  it('costs at most 8 MiB, keeps nothing from the healthy, and catches up without a gap', async () => {
    const database = await freshDatabase();
    const directory = await temporaryDirectory();
    const server = await spawnServer({ 'database-url': database.url, 'data-dir': directory.path });
    // 12 MB for each of the stalled: Linux takes up to 10 of them (tcp_wmem and tcp_rmem) before the server keeps anything.
    const options = { stalled: 12, healthy: 12, fill: 800, measureMs: 500, everyMs: 20 };
    const report = await readers(Object.assign(server, { databaseUrl: database.url }), options);
    expect(report.findings).toEqual([]);
    expect(report.mbEach).toBeLessThan(8 * 1.048576);
    // It stood still in truth: what it missed came as the latest of each issue.
    expect(report.caughtUp.changes).toBeLessThan(report.caughtUp.of);
    await server.end('SIGTERM');
    await database.drop();
    await directory.remove();
  }, 60_000);
});
