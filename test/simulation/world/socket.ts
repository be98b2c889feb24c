/**
 * `baton.v1` over a simulated wire: the gateway's own session stands between a node and whoever is connected. Frames arrive
 * in the order in which they were sent, a little later; a connection breaks or falls silent, but loses no single frame.
 */
import pino from 'pino';
import type { Principal } from '../../../src/gateway/auth.ts';
import { ChangeFrames } from '../../../src/gateway/change-frames.ts';
import { Homes } from '../../../src/gateway/homes.ts';
import { Session } from '../../../src/gateway/session.ts';
import { StatsFeeds } from '../../../src/gateway/stats-feed.ts';
import type { RunningNode } from '../../../src/supervisor/start-node.ts';
import type { Host } from './host.ts';

const SILENT = pino({ level: 'silent' });

/** What all sessions of a node share, as the server puts it together. */
export interface Gateway {
  readonly running: RunningNode;
  readonly homes: Homes;
  readonly frames: ChangeFrames;
  readonly stats: StatsFeeds;
}

export function gatewayOver(running: RunningNode): Gateway {
  const { router, node } = running;
  return {
    running,
    homes: new Homes(router),
    frames: new ChangeFrames(),
    stats: new StatsFeeds({ router, clock: node.clock, log: SILENT }),
  };
}

/** A frame from the server; which fields there are `t` says. */
export interface Sent {
  readonly t: string;
  readonly id?: string;
  readonly code?: string;
  readonly retryable?: boolean;
  readonly recovered?: boolean;
  readonly seq?: number;
  readonly items?: readonly unknown[];
  readonly prev?: number;
  readonly change?: { seq: number; version: number; issueId?: string; agentId?: string };
  readonly version?: number;
  readonly issue?: { readonly version: number };
  readonly duplicate?: boolean;
  readonly unchanged?: boolean;
  readonly grants?: readonly unknown[];
  readonly runId?: string;
}

/**
 * Opens a session on the node that runs on `host` and says hello. `take` is called as the node sends, in its own step;
 * `over` once, when the node ends the session.
 */
export function openSession(
  host: Host,
  principal: Principal,
  take: (sent: Sent, session: Session) => void,
  over: () => void,
): Session {
  const { running, homes, frames, stats } = host.gateway!;
  const { clock, random } = running.node;
  const { incarnation } = host;
  const session: Session = new Session({
    wire: {
      send: (text) => {
        if (incarnation !== host.incarnation) return;
        const sent = JSON.parse(text.toString()) as Sent;
        if (sent.t === 'ping') host.after(0.5, () => session.receive('{"t":"pong"}'), true);
        else take(sent, session);
      },
      buffered: () => 0,
      close: over,
    },
    router: running.router,
    clock,
    random,
    log: SILENT,
    homes,
    frames,
    stats,
    rateLimit: null,
    keyRates: null,
    resolve: async () => principal,
    opened: () => {},
    ended: over,
  });
  session.receive('{"t":"hello"}');
  return session;
}
