/**
 * A real socket as a session's wire. Frames handed over while one batch of turns is answered leave in one write of the
 * operating system instead of one each: a busy socket gets a dozen answers per commit, and the calls were a tenth of the
 * server's time (docs/benchmarks.md).
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Wire } from './outbox.ts';

const TEXT = { binary: false, fin: true } as const;

/** Connections held back until the running callback and its promises are done; one wake-up for all of them. */
export class HeldBack {
  private connections: Socket[] = [];

  add(tcp: Socket): void {
    tcp.cork();
    if (this.connections.push(tcp) === 1) process.nextTick(() => this.release());
  }

  private release(): void {
    const { connections } = this;
    this.connections = [];
    for (const tcp of connections) tcp.uncork();
  }
}

/** @param tcp the connection under `socket`. */
export function socketWire(socket: WebSocket, tcp: Socket, heldBack: HeldBack, close: Wire['close']): Wire {
  return {
    send(frame) {
      if (tcp.writableCorked === 0) heldBack.add(tcp);
      socket.send(frame, TEXT);
    },
    buffered: () => socket.bufferedAmount,
    close,
  };
}
