/**
 * A real socket as a session's wire. Frames handed over while one batch of turns is answered leave in one write of the
 * operating system instead of one each: a busy socket gets a dozen answers per commit, and the calls were a tenth of the
 * server's time (docs/benchmarks.md).
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Wire } from './outbox.ts';

const TEXT = { binary: false, fin: true } as const;

/** @param tcp the connection under `socket`; held back until the running callback and its promises are done. */
export function socketWire(socket: WebSocket, tcp: Socket, close: Wire['close']): Wire {
  let corked = false;
  const uncork = () => {
    corked = false;
    tcp.uncork();
  };
  return {
    send(frame) {
      if (!corked) {
        corked = true;
        tcp.cork();
        process.nextTick(uncork);
      }
      socket.send(frame, TEXT);
    },
    buffered: () => socket.bufferedAmount,
    close,
  };
}
