/** A server process with a database cluster of its own, both gone afterwards: where fuzzer and readers run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster } from '../../bench/support/cluster.ts';
import { type ServerProcess, spawnServer } from '../support/server-process.ts';
import { INSPECTED } from './collected.ts';

export type FuzzedServer = ServerProcess & { readonly databaseUrl: string };

/** Lets `work` have a server started with `flags`, as on the command line. */
export async function withServer<T>(
  flags: Readonly<Record<string, string>>,
  work: (server: FuzzedServer) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'baton-fuzz-'));
  const cluster = await Cluster.open(join(home, 'database'));
  try {
    const databaseUrl = await cluster.database();
    const dataDir = join(home, 'server');
    const all = {
      'database-url': databaseUrl,
      'data-dir': dataDir,
      log: 'warn',
      ...flags,
    };
    const server = await spawnServer(all, { ...process.env, ...INSPECTED });
    try {
      return await work(Object.assign(server, { databaseUrl }));
    } finally {
      await server.end('SIGTERM');
    }
  } finally {
    await cluster.close();
    await rm(home, { recursive: true, force: true });
  }
}
