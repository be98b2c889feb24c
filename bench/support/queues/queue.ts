/**
 * Something that is handed work and carries it out: Baton, or a queue people would use in its place. Each is used through
 * its own library as its documentation says it is fastest; a piece of work is the same small payload, and doing it nothing.
 */
import type { Room } from '../room.ts';
import type { Board } from './board.ts';

export interface Queue {
  /** Hands one in; resolves when that is committed. */
  add(): Promise<void>;
  /** CPU seconds so far of its processes beside this one and the database's. */
  cpu(): Promise<number>;
  close(): Promise<void>;
}

export interface QueueKind {
  readonly name: string;
  /** On an empty database of its own; its workers are ready. `board` hears what they do. */
  open(room: Room, databaseUrl: string, board: Board): Promise<Queue>;
}

/** What a piece of work says, where a queue keeps that with it. */
export const PAYLOAD = {
  title: 'Renew the certificate of host 17 before it expires',
  context: { repository: 'infra/certificates', branch: 'renew-17', ticket: 4017 },
} as const;

/** Pieces of work carried out at once. */
export const CONCURRENCY = 200;
