/**
 * The stream of `/inspect/ws` (protocol section 8): kept up, and kept in the shape a late listener needs – the latest
 * object that makes each actor known, with the latest snapshot in it, and the last events.
 */
import { type ReadonlySignal, signal } from '@preact/signals';
import { whole } from '../../../src/client/put-aside.ts';
import { pageClock } from '../clock.ts';
import { keyOfTab } from '../session.ts';
import type { Inspected, Snapshot } from './inspected.ts';

export interface Actor {
  readonly made: Inspected;
  readonly snapshot: Snapshot;
  /** The last event, and the state before it; null: none was seen yet. */
  readonly last: {
    readonly type: string;
    readonly from: string | null;
    readonly to: string;
    readonly at: number;
  } | null;
  readonly version: number;
}

/**
 * What is known, and what is drawn of it: objects may come faster than a page can be drawn, so the signals follow at most
 * ten times a second; whoever needs all of them listens.
 */
export interface Stream {
  /** By session id; the one that something happened to last is last. */
  readonly actors: ReadonlySignal<ReadonlyMap<string, Actor>>;
  /** The last events and snapshots, oldest first. */
  readonly tail: ReadonlySignal<readonly Inspected[]>;
  readonly link: ReadonlySignal<{ is: 'connecting' | 'open' | 'lost' } | { is: 'refused'; why: string }>;
  /** What a newcomer is to be sent now: every actor with its latest snapshot, then the tail. */
  latest(): readonly Inspected[];
  /** Calls `f` with every object from now on, the definition put in where the wire left it out. */
  listen(f: (object: Inspected) => void): () => void;
  close(): void;
}

const TAIL = 400;
/** Actors remembered; the ones nothing happened to for longest are forgotten first. */
const MOST_ACTORS = 2000;
const AGAIN_MS = 1500;
const DRAW_MS = 100;
/** A connection that is not refused within this time is taken: where no issue lives nothing else says so. */
const TAKEN_MS = 500;
const REFUSED: Readonly<Record<number, string>> = {
  4401: 'No valid key was given. Sign in on the first page.',
  4403: 'Only operators and viewers may inspect.',
  4404: 'There is no such issue or company here.',
};

export function stateName(value: Snapshot['value']): string {
  if (typeof value === 'string') return value;
  const [[outer, inner] = ['', '']] = Object.entries(value);
  return `${outer}.${inner}`;
}

/** @param query `issue=<id>` or `company=<id>` */
export function openStream(query: string): Stream {
  const actors = signal<ReadonlyMap<string, Actor>>(new Map());
  const tail = signal<readonly Inspected[]>([]);
  const link = signal<Stream['link']['value']>({ is: 'connecting' });
  const listeners = new Set<(object: Inspected) => void>();
  const known = new Map<string, Actor>();
  let recent: Inspected[] = [];
  let isDue = false;
  let definition: string | undefined;
  let socket: WebSocket | null = null;
  let isOver = false;

  const draw = () => {
    if (isDue || isOver) return;
    isDue = true;
    pageClock.after(DRAW_MS, () => {
      isDue = false;
      actors.value = new Map(known);
      tail.value = [...recent];
    });
  };
  const take = (object: Inspected) => {
    const before = known.get(object.sessionId);
    const { sessionId, snapshot, version } = object;
    let told = object;
    if (object.type === '@xstate.actor' && snapshot !== undefined) {
      definition ??= object.definition;
      told = definition === undefined ? object : { ...object, definition };
      known.delete(sessionId);
      const last = before?.version === version ? before.last : null;
      const context = whole(snapshot.context, () => told.name ?? sessionId);
      known.set(sessionId, { made: told, snapshot: { ...snapshot, context }, last, version });
    } else if (object.type === '@xstate.snapshot' && snapshot !== undefined && before !== undefined) {
      const last = {
        type: object.event?.type ?? '',
        from: version === 1 ? null : stateName(before.snapshot.value),
        to: stateName(snapshot.value),
        at: Number(object.createdAt),
      };
      known.delete(sessionId);
      known.set(sessionId, { made: { ...before.made, snapshot, version }, snapshot, last, version });
    }
    if (known.size > MOST_ACTORS) {
      const [oldest] = known.keys();
      if (oldest !== undefined) known.delete(oldest);
    }
    if (told.type !== '@xstate.actor' && recent.push(told) > 2 * TAIL) recent = recent.slice(-TAIL);
    for (const listener of listeners) listener(told);
    draw();
  };

  const connect = () => {
    if (isOver) return;
    const { protocol, host } = window.location;
    const made = new WebSocket(
      `${protocol === 'https:' ? 'wss' : 'ws'}://${host}/inspect/ws${query === '' ? '' : `?${query}`}`,
    );
    socket = made;
    made.onopen = () => {
      const token = keyOfTab();
      made.send(JSON.stringify({ t: 'hello', ...(token === null ? {} : { token }) }));
      pageClock.after(TAKEN_MS, () => {
        const isTaken = !isOver && socket === made && made.readyState === WebSocket.OPEN;
        if (isTaken && link.peek().is !== 'open') link.value = { is: 'open' };
      });
    };
    made.onmessage = ({ data }) => {
      if (isOver) return;
      if (link.peek().is !== 'open') link.value = { is: 'open' };
      take(JSON.parse(String(data)) as Inspected);
    };
    made.onclose = ({ code }) => {
      if (isOver) return;
      const why = REFUSED[code];
      link.value = why === undefined ? { is: 'lost' } : { is: 'refused', why };
      if (why === undefined) pageClock.after(AGAIN_MS, connect);
    };
  };
  connect();

  return {
    actors,
    tail,
    link,
    latest: () => [...[...known.values()].map(({ made }) => made), ...recent.slice(-TAIL)],
    listen(f) {
      listeners.add(f);
      return () => listeners.delete(f);
    },
    close() {
      isOver = true;
      socket?.close();
      listeners.clear();
    },
  };
}
