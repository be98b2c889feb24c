/** Defects of the supervisor: what it answers, publishes, arms and counts. */
import type { Turn } from '../../../src/supervisor/draft.ts';
import { Feed } from '../../../src/supervisor/feed.ts';
import type { Rejection } from '../../../src/supervisor/lane.ts';
import type { PendingCall } from '../../../src/supervisor/partition.ts';
import { RebuiltEntry } from '../../../src/supervisor/rebuild.ts';
import type { Version } from '../../../src/supervisor/resident.ts';
import type { Showable } from '../../../src/supervisor/showing.ts';
import { gotten, harder, type Mutant, replaced, within } from './mutant.ts';

interface SealedBatch {
  turns: { turn: Turn; entries: { seq: number }[] }[];
}

/** Every run fails and is tried again, or is not heard of any more. */
const FAILING = { succeed: 0, open: 0, complete: 0, transient: 5, permanent: 0, vanish: 2, zombie: 0 };

export const NODE_MUTANTS: readonly Mutant[] = [
  {
    name: 'ack-before-commit',
    breaks: 'an event is answered when its turn is made',
    killedBy: 'P3',
    seeds: [1, 2],
    node: ({ node }) => {
      replaced(node.mailbox, 'post', (post) => (partition, call) => {
        const early = (c: PendingCall): PendingCall =>
          c.works.some((work) => work.birth) || c.claim
            ? c
            : { ...c, ended: (outcome) => c.ended(outcome, null), failed: (refusal) => c.failed(refusal) };
        return post.call(node.mailbox, partition, early(call));
      });
    },
  },
  {
    name: 'no-dedupe',
    breaks: 'a key that was accepted is not recognised',
    killedBy: 'P3',
    seeds: [3, 6],
    node: ({ node }) => {
      replaced(node.residence, 'get', (get) => (id) => {
        const actor = get.call(node.residence, id);
        if (actor?.newest && actor.newest.keys.length > 0) actor.newest = { ...actor.newest, keys: [] };
        return actor;
      });
    },
  },
  {
    name: 'failed-fire-not-re-armed',
    breaks: 'a timer that came while the database did not answer is forgotten',
    killedBy: 'P6',
    seeds: [183],
    // Memory holds next to nothing, so that what fires has to be read, and the database is often away.
    plan: harder(
      { downEvery: 3000, crashEvery: 0, stopEvery: 0, pauseEvery: 0 },
      { residentBytes: 500, ttlMs: 5000, nodes: 1, opEvery: 500, work: FAILING },
    ),
    node: ({ node }) => {
      replaced(within<{ again: () => void }>(node.alarms), 'again', () => () => {});
    },
  },
  {
    name: 'poisoned-row-fails-the-batch',
    breaks: 'where one turn cannot be stored all of its batch are refused',
    killedBy: 'P14',
    seeds: [1, 2],
    plan: harder({ poison: 0.7, latencyMs: 120 }, { opEvery: 150, operators: 3 }),
    node: ({ node }) => {
      for (const lane of node.lanes) {
        const inner = within<{ rejected: (sealed: SealedBatch, rejection: Rejection) => void }>(lane);
        replaced(inner, 'rejected', (rejected) => (sealed, rejection) => {
          if (sealed.turns.length === 1) return rejected.call(lane, sealed, rejection);
          for (const { turn, entries } of [...sealed.turns].reverse()) {
            turn.company.seq -= entries.length;
            node.poisoned(turn, [], rejection);
          }
        });
      }
    },
  },
  {
    name: 'publish-before-commit',
    breaks: 'entries are published when their batch is sealed',
    killedBy: 'P8',
    seeds: [2, 3],
    node: ({ node }) => {
      for (const lane of node.lanes) {
        const inner = within<{ seal: () => SealedBatch }>(lane);
        replaced(inner, 'seal', (seal) => () => {
          const sealed = seal.call(lane);
          for (const { turn, entries } of sealed.turns) {
            for (const entry of entries) turn.company.feed.publish(entry as never);
          }
          return sealed;
        });
      }
    },
  },
  {
    name: 'resume-off-by-one',
    breaks: 'a reconnecting subscriber is sent one entry too few',
    killedBy: 'P8',
    seeds: [18],
    patch: () =>
      replaced(
        Feed.prototype,
        'since',
        (since) =>
          function (this: Feed, seq) {
            return since.call(this, seq)?.slice(1) ?? null;
          },
      ),
  },
  {
    name: 'resume-hides-what-left-a-filter',
    breaks: 'out of the journal a subscriber with a filter is not told that an issue left it',
    killedBy: 'P8',
    seeds: [30, 119],
    patch: () => gotten(RebuiltEntry.prototype, 'before', () => null),
  },
  {
    name: 'resume-hides-what-left-an-agent',
    breaks: 'out of the journal a subscriber of an agent is not told that a run left it',
    killedBy: 'P8',
    seeds: [27, 35],
    patch: () =>
      gotten(RebuiltEntry.prototype, 'watchers', (entry) => {
        const { actor, to } = within<{ actor: Showable; to: Version }>(entry);
        return actor.kind.watchers(null, to.state);
      }),
  },
  {
    name: 'subscribers-not-told-of-takeover',
    breaks: 'nobody hears that the partition moved',
    killedBy: 'P8',
    seeds: [2, 3],
    patch: () => replaced(Feed.prototype, 'close', () => () => {}),
  },
  {
    name: 'lease-not-armed-on-recovery',
    breaks: 'an executing run read back gets no lease',
    killedBy: 'P6',
    seeds: [2, 14],
    node: ({ node }) => {
      replaced(node, 'arrived', (arrived) => (row) => {
        const actor = arrived.call(node, row);
        node.leases.drop(row.id);
        return actor;
      });
    },
  },
  {
    name: 'slots-counted-at-commit',
    breaks: 'a granted slot counts only once its turn is committed',
    killedBy: 'P7',
    seeds: [2, 8],
    node: ({ node }) => {
      const waiting = new Map<string, string>();
      replaced(node.slots, 'place', (place) => (id, slot) => {
        const before = place.call(node.slots, id, slot);
        waiting.delete(id);
        if (slot?.mode === 'holds' && before?.mode !== 'holds') {
          node.slots.pool(slot.pool).holds.delete(id);
          waiting.set(id, slot.pool);
        }
        return before;
      });
      replaced(node, 'landed', (landed) => (turns) => {
        for (const { turn } of turns) {
          for (const id of turn.drafts.keys()) {
            const pool = waiting.get(id);
            if (pool !== undefined) node.slots.pool(pool).holds.add(id);
            waiting.delete(id);
          }
        }
        landed.call(node, turns);
      });
    },
  },
  {
    name: 'one-slot-too-many',
    breaks: 'an agent is granted one run more than it has slots',
    killedBy: 'P7',
    seeds: [2, 8],
    node: ({ node }) => {
      replaced(
        node.slots,
        'offer',
        (offer) => (capacity) => offer.call(node.slots, { ...capacity, max: capacity.max + 1 }),
      );
    },
  },
  {
    name: 'paused-agents-run',
    breaks: 'a paused agent is granted work',
    killedBy: 'P7',
    seeds: [6],
    node: ({ node }) => {
      replaced(
        node.slots,
        'offer',
        (offer) => (capacity) => offer.call(node.slots, { ...capacity, open: true }),
      );
    },
  },
  {
    name: 'serves-without-lease',
    breaks: 'a node that was paused goes on answering though its lease has run out',
    killedBy: 'P2',
    seeds: [35],
    plan: harder({ pauseEvery: 3000 }, { nodes: 2, ttlMs: 2000 }),
    node: ({ ownership }) => {
      Object.defineProperty(ownership, 'leased', { get: () => true });
    },
  },
  {
    name: 'in-flight-unanswered',
    breaks: 'whoever waits for the batch in flight is forgotten when the partition is lost',
    killedBy: 'answers',
    seeds: [2, 3],
    node: ({ node }) => {
      for (const lane of node.lanes) {
        replaced(lane, 'forget', (forget) => (partitions) => {
          const flying =
            within<{ inFlight: SealedBatch | null }>(lane).inFlight?.turns.map(({ turn }) => turn) ?? [];
          return forget.call(lane, partitions).filter((turn) => !flying.includes(turn));
        });
      }
    },
  },
];
