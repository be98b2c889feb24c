/**
 * A way to the database that can fail: a TCP proxy on loopback between one node and PostgreSQL.
 *
 * A connection that has lost a byte never carries another one: half a message would be worse than what a network does.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Way =
  /** Requests go on after `delayMs()`, answers at once. */
  | { readonly is: 'open'; readonly delayMs?: () => number }
  /** Accepts everything and carries nothing, closes nothing: a black hole. What it swallowed is lost. */
  | { readonly is: 'black hole' }
  /** Requests arrive, answers do not: half open. */
  | { readonly is: 'half open' }
  /** Keeps every piece and delivers it when the way is open again. */
  | { readonly is: 'held' }
  /** Every connection is cut, none is taken. */
  | { readonly is: 'cut' };

interface Line {
  readonly near: Socket;
  readonly far: Socket;
  dead: boolean;
  /** Per direction: pieces that wait, and when the last one of them may go on. */
  readonly waiting: [Buffer[], Buffer[]];
  readonly nextAt: [number, number];
}

const TO_DATABASE = 0;
const TO_NODE = 1;

export class FaultProxy {
  readonly port: number;
  #way: Way = { is: 'open' };
  readonly #server: Server;
  readonly #lines = new Set<Line>();
  #trap: { text: string; sprung(): void } | null = null;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param socket the path of the database's Unix socket */
  static async open(socket: string): Promise<FaultProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const proxy = new FaultProxy(server, (server.address() as { port: number }).port);
    server.on('connection', (near) => proxy.#take(near, socket));
    return proxy;
  }

  /** Lets everything through until a request holds `text`; that one and all that follows is held. Resolves then. */
  holdFrom(text: string): Promise<void> {
    this.become({ is: 'open' });
    return new Promise((resolve) => {
      this.#trap = { text, sprung: resolve };
    });
  }

  /** From now on it is like this; what was held goes on when it may. */
  become(way: Way): void {
    this.#way = way;
    for (const line of [...this.#lines]) {
      if (way.is === 'cut') this.#end(line);
      if (way.is === 'open') {
        for (const direction of [TO_DATABASE, TO_NODE] as const) {
          for (const piece of line.waiting[direction].splice(0)) this.#deliver(line, direction, piece);
        }
      }
    }
  }

  async close(): Promise<void> {
    for (const line of [...this.#lines]) this.#end(line);
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #take(near: Socket, socket: string): void {
    near.on('error', () => {});
    if (this.#way.is === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(socket);
    near.setNoDelay(true);
    const line: Line = { near, far, dead: false, waiting: [[], []], nextAt: [0, 0] };
    this.#lines.add(line);
    near.on('data', (piece) => this.#carry(line, TO_DATABASE, piece));
    far.on('data', (piece) => this.#carry(line, TO_NODE, piece));
    far.on('error', () => {});
    const end = () => this.#ended(line);
    near.on('close', end);
    far.on('close', end);
  }

  #carry(line: Line, direction: 0 | 1, piece: Buffer): void {
    if (line.dead) return;
    if (this.#trap !== null && direction === TO_DATABASE && piece.includes(this.#trap.text)) {
      this.#way = { is: 'held' };
      this.#trap.sprung();
      this.#trap = null;
    }
    const way = this.#way;
    if (way.is === 'black hole' || (way.is === 'half open' && direction === TO_NODE)) {
      line.dead = true;
      return;
    }
    if (way.is === 'held' || line.waiting[direction].length > 0) {
      line.waiting[direction].push(piece);
      return;
    }
    const now = performance.now();
    const delayed = way.is === 'open' && direction === TO_DATABASE && way.delayMs !== undefined;
    // The pieces of one request go together.
    const at = !delayed ? now : line.nextAt[direction] > now ? line.nextAt[direction] : now + way.delayMs!();
    if (at <= now && line.nextAt[direction] <= now) {
      this.#deliver(line, direction, piece);
      return;
    }
    line.nextAt[direction] = at;
    setTimeout(() => {
      if (this.#way.is === 'held') line.waiting[direction].push(piece);
      else this.#deliver(line, direction, piece);
    }, at - now);
  }

  #deliver(line: Line, direction: 0 | 1, piece: Buffer): void {
    const to = direction === TO_DATABASE ? line.far : line.near;
    if (!to.destroyed) to.write(piece);
  }

  /** One side is gone: so is the other, unless nobody could tell it. */
  #ended(line: Line): void {
    if (line.dead && this.#way.is === 'black hole' && !line.near.destroyed) return;
    this.#end(line);
  }

  #end(line: Line): void {
    this.#lines.delete(line);
    line.near.destroy();
    line.far.destroy();
  }
}
