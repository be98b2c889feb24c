/** The server a replay plays on: the one that is named or running here, else one of its own that ends with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { resolveSettings } from '../../config.ts';
import type { Call } from '../command.ts';
import { textFlag } from '../command.ts';
import type { MakeServer } from '../runtime.ts';
import { httpOf, targetOf } from '../server.ts';

export interface Host {
  readonly url: string;
  readonly token: string | null;
  /** For people: which server it is. */
  readonly what: string;
  /** What was played is there afterwards. */
  readonly keeps: boolean;
  stop(): Promise<void>;
}

/** @throws RemoteError UNAVAILABLE (exit code 4) when the named server is not reached */
export async function hostOf(call: Call, make: MakeServer): Promise<Host> {
  const target = targetOf(call);
  const dataDir = textFlag(call, 'data-dir');
  if (target.how === 'named' || (dataDir === undefined && (await isThere(call)))) {
    return { ...target, what: target.url, keeps: true, stop: async () => {} };
  }
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'baton-replay-')));
  const { settings } = resolveSettings({
    flags: { port: '0', 'data-dir': dir, 'rate-limit': 'off', log: 'error', 'no-demo': true },
    env: { DATABASE_URL: call.env.DATABASE_URL },
  });
  const clean = async () => {
    if (dataDir === undefined) await rm(dir, { recursive: true, force: true });
  };
  try {
    const { logOf } = await import('../log.ts');
    const server = await make(settings, { log: logOf('error', call.terminal), say: () => {} });
    await server.ready?.(30_000);
    return {
      url: server.url,
      token: server.token,
      what: `a server of its own (${dataDir ?? 'temporary data directory'})`,
      keeps: dataDir !== undefined,
      async stop() {
        await server.stop();
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** True when a server answers at the announced or the default address. One that refuses us is a server, and says so itself. */
async function isThere(call: Call): Promise<boolean> {
  try {
    const companies = httpOf(call).companies()[Symbol.asyncIterator]();
    await companies.next();
    return true;
  } catch (error) {
    return (error as { code?: string }).code !== 'UNAVAILABLE';
  }
}
