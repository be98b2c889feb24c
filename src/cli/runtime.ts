/** The server, as the CLI starts one. A seam: tests hand in a maker of their own. */
import type { pino } from 'pino';
import type { Settings } from '../config.ts';
import { listenError } from './listenable.ts';
import { dataDirInUse, startFailure } from './start-failure.ts';

export interface Step {
  readonly name: string;
  readonly text: string;
  readonly ms: number | null;
}

export interface RunningServer {
  readonly url: string;
  readonly token: string | null;
  /** True in local mode: no credentials needed from this machine. */
  readonly local?: boolean;
  /** Resolves true once it owns its partitions, false after `ms`. */
  ready?(ms: number): Promise<boolean>;
  stop(): Promise<void>;
}

export type MakeServer = (
  settings: Settings,
  io: { log: pino.Logger; say(step: Step): void },
) => Promise<RunningServer>;

export interface Migrated {
  /** Applied now, or, of a dry run, still to be applied; in order. */
  readonly migrations: readonly { readonly number: number; readonly name: string }[];
  /** Which database: `PostgreSQL 15.13 (embedded, system)`. */
  readonly database: string;
  /** Of a dry run: what the stored actors would become. */
  readonly population: readonly {
    readonly kind: string;
    readonly machineVersion: number;
    readonly becomes: 'as is' | 'migrated' | 'quarantined';
    readonly reason: string | null;
    readonly count: number;
    readonly example: string;
  }[];
}

export type MigrateDatabase = (
  settings: Settings,
  options: { dryRun: boolean; log(line: string): void },
) => Promise<Migrated>;

/** Brings the schema up to date without starting a server. */
export const migrateDatabase: MigrateDatabase = async (settings, options) => {
  const index = await import('../index.ts');
  return await forPeople(index.migrateDatabase(settings, options), settings);
};

export const makeServer: MakeServer = async (settings, io) => await forPeople(made(settings, io), settings);

/** @throws Error for an address it could not listen on, before a database is made or touched for it */
const made: MakeServer = async (settings, io) => {
  const { host, port, portExplicit, dataDir, databaseUrl } = settings;
  // Loaded on first use: `baton issues` should not wait for a server's code to be read.
  const { createRuntime, dataDirHolder } = await import('../index.ts');
  // Before the port, for that is taken by the same server as a rule: which one it is says more than that it is taken.
  const holder = databaseUrl === null ? dataDirHolder(dataDir) : null;
  if (holder !== null) throw dataDirInUse(dataDir, holder);
  const error = await listenError(host, port);
  // A port that nobody chose may be taken: the next one does.
  if (error !== null && (portExplicit || error.code !== 'EADDRINUSE')) throw error;
  return await createRuntime(settings, io);
};

/** What the rooms say of a start that cannot be (port taken, data dir in use) is a sentence for people. */
async function forPeople<T>(work: Promise<T>, settings: Settings): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw await startFailure(error, settings);
  }
}
