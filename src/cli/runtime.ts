/** The server, as the CLI starts one. A seam: tests hand in a maker of their own. */
import type { pino } from 'pino';
import type { Settings } from '../config.ts';
import { BatonError } from '../errors.ts';
import { listenError } from './listenable.ts';

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
  return await forPeople(index.migrateDatabase(settings, options));
};

export const makeServer: MakeServer = async (settings, io) => await forPeople(made(settings, io));

/** @throws Error for an address it could not listen on, before a database is made or touched for it */
const made: MakeServer = async (settings, io) => {
  const { host, port, portExplicit } = settings;
  const error = await listenError(host, port);
  // A port that nobody chose may be taken: the next one does.
  if (error !== null && (portExplicit || error.code !== 'EADDRINUSE')) throw error;
  // Loaded on first use: `baton issues` should not wait for a server's code to be read.
  const { createRuntime } = await import('../index.ts');
  return await createRuntime(settings, io);
};

/** What the rooms say of a start that cannot be (port taken, data dir in use) is a sentence for people. */
async function forPeople<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BatonError || isDefect(error)) throw error;
    const { message, code = '', path } = error as NodeJS.ErrnoException;
    const isOfData = path !== undefined && DATA_TROUBLE.includes(code);
    throw new BatonError('INTERNAL', isOfData ? `The data directory cannot be used: ${message}.` : message, {
      hint: startHint(error as NodeJS.ErrnoException),
    });
  }
}

function isDefect(error: unknown): boolean {
  return !(error instanceof Error) || error instanceof TypeError || error instanceof RangeError;
}

const DATA_TROUBLE = ['EACCES', 'EPERM', 'EROFS', 'EEXIST', 'ENOENT', 'ENOTDIR', 'ENOSPC'];

function startHint(error: NodeJS.ErrnoException): string | null {
  if (error.code === 'EADDRINUSE')
    return 'Another program uses the port: stop it, or choose another with --port (0 = any).';
  if (error.code === 'EACCES' && error.syscall === 'listen') return 'Choose a port above 1023 with --port.';
  if (DATA_TROUBLE.includes(error.code ?? ''))
    return 'Choose a data directory of your own that you may write to with --data-dir.';
  if (error.code === 'ENOTFOUND' || error.code === 'EADDRNOTAVAIL')
    return 'This machine has no such address: choose another with --host.';
  return null;
}
