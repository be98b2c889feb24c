/** A subscriber's connection through the gateway's session, so that `prev` is checked too. */
import type { Principal } from '../../../src/gateway/auth.ts';
import type { Host } from './host.ts';
import { openSession, type Sent } from './socket.ts';
import type { Listened } from './witness.ts';
import type { World } from './world.ts';

const SERVER: Principal = { role: 'operator', id: 'server', companyId: null, agentId: null, keyId: null };

/** Opens a session on this node and subscribes; `moved` is told of every number the cursor comes to. */
export function subscribeBySocket(
  world: World,
  host: Host,
  listened: Listened,
  moved: (to: number) => void,
): Promise<{ is: 'open'; close: () => void } | { is: 'retry' }> {
  return new Promise((resolve) => {
    const over = () => {
      listened.open = false;
      resolve({ is: 'retry' });
    };
    openSession(
      host,
      SERVER,
      (sent: Sent, session) => {
        switch (sent.t) {
          case 'welcome':
            return session.receive(
              JSON.stringify({
                t: 'sub',
                id: 's',
                topic: `${listened.topic}:${listened.actorId ?? listened.companyId}`,
                since: listened.since,
                ...(listened.where === null ? {} : { where: listened.where }),
              }),
            );
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
            const { seq, version, issueId, agentId } = sent.change!;
            const actorId = (issueId ?? agentId)!;
            const committed = world.witness.committed(actorId, version);
            const text = JSON.stringify(sent.change);
            listened.frames.push({
              is: 'change',
              seq,
              version,
              actorId,
              text,
              committed,
              prev: sent.prev!,
            });
            return moved(seq);
          }
          case 'reset':
            listened.frames.push({ is: 'reset' });
            session.closed();
            return over();
          default:
            session.closed();
            return over();
        }
      },
      over,
    );
  });
}

/** Where the journal stands, in the numbers of this topic. */
export function headOf(world: World, { topic, companyId, actorId }: Listened): number {
  return topic === 'journal' ? world.witness.headVersion(actorId!) : world.witness.headSeq(companyId);
}
