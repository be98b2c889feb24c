/**
 * Connections to PostgreSQL. Two kinds of trouble would otherwise end or hang the process: an idle connection that
 * breaks emits `error` on the pool (unhandled: the process dies), and a query into a black hole never answers
 * (`query_timeout` on our side, `statement_timeout` on the server's). A connection on which anything failed is closed,
 * not reused.
 */
import { Socket } from 'node:net';
import pg from 'pg';

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/database` or `postgresql:///database?host=/socket/directory&user=…`. */
  readonly url: string;
  /** Our patience with one statement, ms; the server gives up 10 % sooner. Default 10,000. */
  readonly queryTimeoutMs?: number;
  /**
   * Patience with a heartbeat and with taking partitions, ms, and with connecting for them: one that is lost should not
   * cost the lease. Default: as with any.
   */
  readonly leaseTimeoutMs?: number;
  /** Patience with connecting and with waiting for a free connection, ms. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Commits that may run at the same time, each over its own connection. Default 4. */
  readonly commitConnections?: number;
  /** Reads that may run at the same time. Default 4. */
  readonly readConnections?: number;
  /** Hears of connections that broke while idle; they are replaced without further ado. */
  readonly onTrouble?: (error: Error) => void;
}

export const CONNECT_TIMEOUT_MS = 5_000;
const INT8 = 20;
const JSON_TEXT = 114;

/** int8 as numbers – all of ours are safe integers – and json as the text it is. */
const types: pg.CustomTypesConfig = {
  getTypeParser(oid: number, format?: 'text' | 'binary') {
    if (oid === INT8) return Number;
    if (oid === JSON_TEXT) return (text: string) => text;
    return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid);
  },
} as pg.CustomTypesConfig;

/** Our patience with one statement, ms. */
export function patienceOf(options: DatabaseOptions): number {
  return options.queryTimeoutMs ?? 10_000;
}

/** How every connection of ours is opened. */
export function connection(options: DatabaseOptions): pg.ClientConfig {
  const patience = patienceOf(options);
  return {
    connectionString: options.url,
    application_name: 'baton',
    types,
    keepAlive: true,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    query_timeout: patience,
    statement_timeout: Math.ceil(patience * 0.9),
  };
}

/** Connections that can be ended all at once, whatever they are busy with: those too that are not open yet. */
export class Pool extends pg.Pool {
  readonly #sockets: Set<Socket>;

  constructor(config: pg.PoolConfig) {
    const sockets = new Set<Socket>();
    const stream = () => {
      const socket = new Socket();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    };
    super({ ...config, stream });
    this.#sockets = sockets;
  }

  /** Who waits for an answer hears at once that there is none; the next statement opens a connection. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** A pool whose connections stay open; up to `max` at the same time. */
export function openPool(options: DatabaseOptions, max: number): Pool {
  const pool = new Pool({ ...connection(options), max, idleTimeoutMillis: 0 });
  const trouble = (error: Error) => options.onTrouble?.(error);
  pool.on('error', trouble);
  pool.on('connect', (client) => client.on('error', trouble));
  return pool;
}

/**
 * SQLSTATE classes that blame the data (or the statement's own rows): the same batch would fail again. 21 cardinality,
 * 22 data, 23 constraint, 54 limit exceeded.
 */
const DATA_CLASSES = new Set(['21', '22', '23', '54']);

/** Whether an error proves that nothing was written and that sending it again is in vain. */
export function blamesData(error: unknown): boolean {
  return error instanceof pg.DatabaseError && DATA_CLASSES.has((error.code ?? '').slice(0, 2));
}

/** The server gave a statement up because it took longer than it may; so it is there, and slow. */
export function tookTooLong(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57014';
}

/** Anything thrown, as an Error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
