/**
 * A client's connection to a node, through the gateway's session: hello, claims and events out, grants, answers and stops
 * back. When it breaks, or nobody answers in time, whatever was asked is unknown and the next request opens another.
 */
import type { Principal } from '../../../src/gateway/auth.ts';
import type { Session } from '../../../src/gateway/session.ts';
import type { Chance } from './chance.ts';
import type { Host } from './host.ts';
import { openSession, type Sent } from './socket.ts';
import { PATIENCE_MS, type World } from './world.ts';

/** A frame takes this long, ms. */
const LEAST_MS = 0.05;
const MOST_MS = 1;
/** How long a client waits for `welcome`, ms. */
const WELCOME_MS = 6000;

interface Pending {
  /** On the node, in the step in which it answers. */
  readonly answered: (host: Host, sent: Sent) => void;
  /** At the client; null: the connection is gone. */
  readonly told: (sent: Sent | null) => void;
  /** By which the node owes an answer. */
  open: number | null;
}

/** One connection: frames keep their order in both directions. */
class Line {
  readonly host: Host;
  readonly incarnation: number;
  readonly pending = new Map<string, Pending>();
  over = false;
  private session: Session | null = null;
  /** Nothing arrives any more, in either direction, and neither side knows. */
  private dark = false;
  private sentUntil = 0;
  private heardUntil = 0;
  private readonly world: World;
  private readonly chance: Chance;

  constructor(world: World, chance: Chance, host: Host) {
    this.world = world;
    this.chance = chance;
    this.host = host;
    this.incarnation = host.incarnation;
  }

  get alive(): boolean {
    return !this.over && this.incarnation === this.host.incarnation;
  }

  /** Resolves with true once the node has welcomed it. */
  open(principal: Principal, stopped: (runId: string) => void): Promise<boolean> {
    return new Promise((resolve) => {
      const gone = () => {
        this.broken();
        resolve(false);
      };
      this.host.endings.push(gone);
      this.world.scheduler.after(WELCOME_MS, () => resolve(false));
      this.up(() => {
        this.session = openSession(
          this.host,
          principal,
          (sent) => this.came(sent, stopped, () => resolve(true)),
          () => void this.world.scheduler.after(this.delay(), gone),
        );
      });
    });
  }

  private came(sent: Sent, stopped: (runId: string) => void, welcome: () => void): void {
    const asked = sent.id === undefined ? undefined : this.pending.get(sent.id);
    if (asked) {
      if (asked.open !== null) this.host.open.delete(asked.open);
      asked.answered(this.host, sent);
    }
    this.down(() => {
      if (sent.t === 'welcome') welcome();
      else if (sent.t === 'stop') stopped(sent.runId!);
      else if (asked) {
        this.pending.delete(sent.id!);
        asked.told(sent);
      }
    });
  }

  send(id: string, frame: object, what: string, patience: number, pending: Pending): void {
    this.pending.set(id, pending);
    this.up(() => {
      if (this.over) return;
      const broken = () => {};
      pending.open = this.host.opened({ what, since: this.world.now, patience, broken });
      this.session?.receive(JSON.stringify({ ...frame, id }));
    });
  }

  sendRaw(text: string): void {
    this.up(() => this.session?.receive(text));
  }

  /** To the node, in order. */
  private up(run: () => void): void {
    const { world, host, incarnation } = this;
    const at = Math.max(this.sentUntil + 0.01, world.now + this.delay());
    this.sentUntil = at;
    host.after(
      at - world.now,
      () => {
        if (!this.dark && incarnation === host.incarnation) run();
      },
      true,
    );
  }

  /** To the client, in order. */
  private down(run: () => void): void {
    const { world } = this;
    const at = Math.max(this.heardUntil + 0.01, world.now + this.delay());
    this.heardUntil = at;
    world.scheduler.after(at - world.now, () => {
      if (!this.dark && !this.over) run();
    });
  }

  private delay(): number {
    return this.chance.between(LEAST_MS, MOST_MS);
  }

  fallSilent(): void {
    this.dark = true;
  }

  /** The client is done with it; the node hears so, unless the line is dead. */
  close(): void {
    const { host, session } = this;
    if (this.alive && session && !this.dark) host.after(this.delay(), () => session.closed(), true);
    // A node that never hears of it pings in vain, and lets go.
    this.broken();
  }

  private broken(): void {
    this.over = true;
    const waiting = [...this.pending.values()];
    this.pending.clear();
    for (const { told, open } of waiting) {
      if (open !== null && this.incarnation === this.host.incarnation) this.host.open.delete(open);
      told(null);
    }
  }
}

export class ClientSocket {
  private line: Line | null = null;
  private ids = 0;
  private opening: Promise<Line | null> | null = null;
  private readonly world: World;
  private readonly chance: Chance;
  private readonly principal: Principal;
  private readonly stopped: (runId: string) => void;

  constructor(world: World, chance: Chance, principal: Principal, stopped: (runId: string) => void) {
    this.world = world;
    this.chance = chance;
    this.principal = principal;
    this.stopped = stopped;
  }

  /** Asks the node on `host` and waits; null when nothing is known of what became of it. */
  async ask(
    host: Host,
    frame: { readonly t: string } & Record<string, unknown>,
    waitMs: number,
    answered: Pending['answered'],
  ): Promise<Sent | null> {
    const line = await this.lineTo(host);
    if (!line?.alive) return null;
    const { world, chance } = this;
    if (world.active && chance.is(world.plan.faults.netLost)) {
      if (chance.is(0.5)) line.close();
      else line.fallSilent();
    }
    return new Promise((resolve) => {
      const id = `q${++this.ids}`;
      let settled = false;
      const finish = (sent: Sent | null) => {
        if (settled) return;
        settled = true;
        callOff();
        resolve(sent);
      };
      const callOff = world.scheduler.after(waitMs + PATIENCE_MS, () => {
        line.close();
        finish(null);
      });
      if (line.over) finish(null);
      else line.send(id, frame, `${frame.t} ${id}`, waitMs, { answered, told: finish, open: null });
    });
  }

  /** Hands the node a text that may be no frame at all, and asks for no answer. */
  async throwAt(host: Host, text: string): Promise<void> {
    (await this.lineTo(host))?.sendRaw(text);
  }

  /** The line to this node: the one there is, or a new one. */
  private lineTo(host: Host): Promise<Line | null> | Line | null {
    if (this.line?.alive && this.line.host === host) return this.line;
    this.opening ??= this.connect(host).finally(() => {
      this.opening = null;
    });
    return this.opening;
  }

  private async connect(host: Host): Promise<Line | null> {
    this.line?.close();
    this.line = null;
    if (!host.up) return null;
    const line = new Line(this.world, this.chance, host);
    if (!(await line.open(this.principal, this.stopped))) {
      line.close();
      return null;
    }
    this.line = line;
    return line;
  }
}

/** Sends an event and writes down what was told: `ok`, the code of a refusal, or null when it is to be sent again. */
export async function eventBySocket(
  world: World,
  socket: ClientSocket,
  host: Host,
  sender: {
    readonly by: string;
    readonly of: string;
    readonly issueId: string;
    readonly event: { readonly type: string; readonly runId?: string };
    readonly key: string | null;
  },
): Promise<string | null> {
  const { by, of, issueId, event, key } = sender;
  const { type, runId = null } = event;
  const frame = { t: 'event', issueId, event, ...(key === null ? {} : { key }) };
  const askedAt = world.now;
  const sent = await socket.ask(host, frame, 0, (on, answer) => {
    if (answer.retryable) return;
    const { is, version } = endingOf(answer);
    const judged = is === 'unchanged' || JUDGEMENTS.has(answer.code ?? '');
    world.witness.said(on, issueId, version, `${type} ${is}`, judged, askedAt);
  });
  const ending = sent && endingOf(sent);
  world.log(`${by} ${type} ${issueId} ${ending?.is} ${ending?.version ?? sent?.code}`);
  if (sent === null || ending === null || sent.retryable) return null;
  const { is, version } = ending;
  const code = sent.code ?? null;
  const shown = sent.issue?.version;
  world.witness.told.push({ actorId: issueId, type, is, version, shown, key, by, of, runId, code });
  return code ?? 'ok';
}

/**
 * Refusals for what an issue is at the moment. The others are for what the frame is or who sent it, and as true on a node
 * that lost its lease: an event from inside is refused by anybody.
 */
const JUDGEMENTS: ReadonlySet<string> = new Set(['FENCED', 'NOT_ALLOWED', 'CONFLICT']);

function endingOf(sent: Sent): {
  is: 'accepted' | 'duplicate' | 'unchanged' | 'refused';
  version: number | null;
} {
  if (sent.t === 'error') return { is: 'refused', version: null };
  const is = sent.duplicate ? 'duplicate' : sent.unchanged ? 'unchanged' : 'accepted';
  return { is, version: sent.version! };
}
