/**
 * A real socket as a session's wire. Frames handed over while one batch of turns is answered leave as one buffer and one
 * call of the operating system instead of several each: a busy socket gets a dozen answers per commit, and the calls
 * were a tenth of the server's time (docs/benchmarks.md). They go past the WebSocket library to the connection below it,
 * which is sound because the library queues nothing here – no compression, no blobs – and only adds control frames,
 * which may stand between any two messages (RFC 6455, 5.4; decision 0008).
 *
 * - SW1 Frames leave in the order they were sent; none after the closing handshake has begun.
 * - SW2 What was sent before `close` leaves before the close frame.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Wire } from './outbox.ts';
import { FrameBatch, type SharedFrame } from './text-frame.ts';

/** Bytes kept back for one write at the most: more goes out at once, so that what is buffered is what a reader left. */
const WRITE_BYTES = 64 * 1024;

/** Wires held back until the running callback and its promises are done; one wake-up for all of them. */
export class HeldBack {
  private wires: SocketWire[] = [];

  add(wire: SocketWire): void {
    if (this.wires.push(wire) === 1) process.nextTick(() => this.release());
  }

  private release(): void {
    const { wires } = this;
    this.wires = [];
    for (const wire of wires) wire.flush();
  }
}

export class SocketWire implements Wire {
  private readonly batch = new FrameBatch();
  private held = false;
  private readonly socket: WebSocket;
  private readonly tcp: Socket;
  private readonly heldBack: HeldBack;
  private readonly hangUp: Wire['close'];

  /**
   * @param tcp the connection under `socket`.
   * @param hangUp begins the closing handshake.
   */
  constructor(socket: WebSocket, tcp: Socket, heldBack: HeldBack, hangUp: Wire['close']) {
    this.socket = socket;
    this.tcp = tcp;
    this.heldBack = heldBack;
    this.hangUp = hangUp;
  }

  send(frame: string | SharedFrame): void {
    const bytes = this.batch.add(frame);
    if (bytes >= WRITE_BYTES) {
      this.flush();
    } else if (!this.held) {
      this.held = true;
      this.heldBack.add(this);
    }
  }

  buffered(): number {
    return this.batch.bytes + this.tcp.writableLength;
  }

  close(code: number, reason: string): void {
    this.flush();
    this.hangUp(code, reason);
  }

  /** Hands what was sent to the operating system. */
  flush(): void {
    this.held = false;
    if (this.batch.bytes === 0) return;
    if (this.socket.readyState === this.socket.OPEN) this.tcp.write(this.batch.take());
    else this.batch.clear();
  }
}
