/**
 * A subscriber's connection of `baton.v1` over a simulated wire: the gateway's own session stands between the node and
 * what the subscriber sees, so that `prev` is checked too.
 */
import pino from 'pino';
import type { Principal } from '../../../src/gateway/auth.ts';
import { ChangeFrames } from '../../../src/gateway/change-frames.ts';
import { Homes } from '../../../src/gateway/homes.ts';
import { Session } from '../../../src/gateway/session.ts';
import { StatsFeeds } from '../../../src/gateway/stats-feed.ts';
import type { Router } from '../../../src/supervisor/router.ts';
import type { Host } from './host.ts';
import type { Listened } from './witness.ts';
import type { World } from './world.ts';

const SILENT = pino({ level: 'silent' });
const SERVER: Principal = { role: 'operator', id: 'server', companyId: null, agentId: null, keyId: null };

interface Sent {
  readonly t: string;
  readonly id?: string;
  readonly code?: string;
  readonly recovered?: boolean;
  readonly seq?: number;
  readonly items?: readonly unknown[];
  readonly prev?: number;
  readonly change?: { seq: number; version: number; issueId: string };
}

/** Opens a session on this node and subscribes; `moved` is told of every number the cursor comes to. */
export function subscribeBySocket(
  world: World,
  host: Host,
  router: Router,
  listened: Listened,
  moved: (to: number) => void,
): Promise<{ is: 'open'; close: () => void } | { is: 'retry' }> {
  const { clock, random } = host.running!.node;
  const { incarnation } = host;
  return new Promise((resolve) => {
    const over = () => {
      listened.open = false;
      resolve({ is: 'retry' });
    };
    const take = (sent: Sent) => {
      switch (sent.t) {
        case 'welcome':
          return session.receive(
            JSON.stringify({ t: 'sub', id: 's', topic: topicOf(listened), since: listened.since }),
          );
        case 'ping':
          host.after(0.5, () => session.receive('{"t":"pong"}'), true);
          return;
        case 'ok':
          listened.frames.push({
            is: 'opened',
            recovered: sent.recovered!,
            seq: sent.seq!,
            head: headOf(world, listened),
          });
          return resolve({ is: 'open', close: () => session.closed() });
        case 'snapshot':
          listened.frames.push({
            is: 'snapshot',
            seq: sent.seq!,
            items: sent.items!.map((item) => JSON.stringify(item)),
          });
          return moved(sent.seq!);
        case 'change': {
          const { seq, version, issueId } = sent.change!;
          const committed = world.witness.committed(issueId, version);
          const text = JSON.stringify(sent.change);
          listened.frames.push({
            is: 'change',
            seq,
            version,
            actorId: issueId,
            text,
            committed,
            prev: sent.prev!,
          });
          return moved(listened.topic === 'company' ? seq : version);
        }
        case 'reset':
          listened.frames.push({ is: 'reset' });
          session.closed();
          return over();
        default:
          session.closed();
          return over();
      }
    };
    const session = new Session({
      wire: {
        send: (text) => {
          // What it says it says as it is called: taken in a later turn of this node, in order.
          if (incarnation === host.incarnation) take(JSON.parse(text.toString()) as Sent);
        },
        buffered: () => 0,
        close: over,
      },
      router,
      clock,
      random,
      log: SILENT,
      homes: new Homes(router),
      frames: new ChangeFrames(),
      stats: new StatsFeeds({ router, clock, log: SILENT }),
      rateLimit: null,
      keyRates: null,
      resolve: async () => SERVER,
      opened: () => {},
      ended: over,
    });
    session.receive('{"t":"hello"}');
  });
}

function topicOf({ topic, companyId, actorId }: Listened): string {
  return topic === 'company' ? `company:${companyId}` : `journal:${actorId}`;
}

/** Where the journal stands, in the numbers of this topic. */
export function headOf(world: World, { topic, companyId, actorId }: Listened): number {
  return topic === 'company' ? world.witness.headSeq(companyId) : world.witness.headVersion(actorId!);
}
