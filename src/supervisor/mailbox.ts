/**
 * The mailbox of the partitions: calls become turns in order of their first actor. A call whose turn needs an actor that
 * is not in memory waits for the load, and whoever comes after it for the same actor waits behind it.
 */

import { adopt } from './adopt.ts';
import type { Outcome, Turn } from './draft.ts';
import type { Node } from './node.ts';
import type { Partition, PendingCall } from './partition.ts';
import { internal, moved, unavailable } from './refusals.ts';
import type { Refusal } from './router.ts';
import { type Made, makeTurn } from './turn.ts';

export class Mailbox {
  /** Waiting call → the actors it was found to need. */
  private readonly wanted = new Map<PendingCall, Set<string>>();
  /** Actor → how many of those calls need it. */
  private readonly needed = new Map<string, number>();
  private readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }

  /** Makes a turn of the call now, or once what it needs is loaded; order per first actor is kept. */
  post(partition: Partition, call: PendingCall): void {
    if (partition.state === 'lost') {
      call.failed(moved());
      return;
    }
    const key = call.works[0]?.actorId ?? call.claim?.claim.pool ?? '';
    const queue = partition.waiting.get(key);
    if (queue) {
      queue.push(call);
      return;
    }
    const missing = this.attempt(partition, call);
    if (!missing) return;
    partition.waiting.set(key, [call]);
    void this.drain(partition, key, missing);
  }

  /** True while a call that waits was found to need the actor: where memory is full it would never have all at once. */
  needs(id: string): boolean {
    return this.needed.has(id);
  }

  private want(call: PendingCall, ids: readonly string[]): void {
    const wanted = this.wanted.get(call) ?? new Set();
    this.wanted.set(call, wanted);
    for (const id of [...call.works.map((work) => work.actorId), ...ids]) {
      if (wanted.has(id)) continue;
      wanted.add(id);
      this.needed.set(id, (this.needed.get(id) ?? 0) + 1);
    }
  }

  private release(call: PendingCall): void {
    for (const id of this.wanted.get(call) ?? []) {
      const others = (this.needed.get(id) ?? 0) - 1;
      if (others > 0) this.needed.set(id, others);
      else this.needed.delete(id);
    }
    this.wanted.delete(call);
  }

  private async drain(partition: Partition, key: string, firstMissing: readonly string[]): Promise<void> {
    const queue = partition.waiting.get(key)!;
    let missing: readonly string[] | null = firstMissing;
    while (queue.length > 0) {
      const call = queue[0]!;
      try {
        this.want(call, missing ?? []);
        if (missing) for (const id of await this.node.loader.load(missing)) call.absent.add(id);
      } catch {
        queue.shift();
        missing = null;
        this.release(call);
        call.failed(unavailable('the database does not answer'));
        continue;
      }
      if (partition.state === 'lost') {
        this.release(call);
        for (const waiting of queue.splice(0)) waiting.failed(moved());
        break;
      }
      missing = this.attempt(partition, call);
      if (missing) continue;
      queue.shift();
      this.release(call);
      missing = [];
    }
    partition.waiting.delete(key);
  }

  /** One try. Answers the actors to load first, or null when the call was dealt with. */
  private attempt(partition: Partition, call: PendingCall): readonly string[] | null {
    for (;;) {
      const made = this.make(partition, call);
      switch (made.is) {
        case 'missing':
          return made.ids;
        case 'thrown':
          this.node.quarantine(made.actor, made.event, made.error);
          // The rest of the call goes on without it, unless it was all that was asked.
          if (
            (call.works.length > 1 || made.actor.id !== call.works[0]?.actorId) &&
            this.node.residence.get(made.actor.id)
          )
            continue;
          call.failed(internal());
          return null;
        case 'broken':
          this.node.log('error', 'a turn failed and was refused', {
            error: made.error.stack ?? made.error.message,
          });
          call.failed(internal());
          return null;
        case 'endless':
          this.node.log('error', 'a turn caused too many events and was refused', {
            works: call.works.length,
          });
          call.failed(internal());
          return null;
        case 'made': {
          const { turn } = made;
          if (!turn.empty) {
            adopt(this.node, turn);
            for (const { actor } of turn.drafts.values()) this.node.armTimers(actor);
            this.node.laneOf(partition.number).submit(turn);
          }
          this.end(call, made.outcome, turn.empty ? this.resting(turn, made.judgedOn) : turn);
          return null;
        }
      }
    }
  }

  /** Ends a call. One whose answer cannot be put together is refused: those behind it must not wait for ever. */
  private end(call: PendingCall, outcome: Outcome, after: Turn | null): void {
    try {
      call.ended(outcome, after);
    } catch (error) {
      this.node.log('error', 'an answer failed', {
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      call.failed(internal());
    }
  }

  /**
   * A turn that changes nothing is as good as committed once every turn is that it looked at; null: it may be answered
   * now. Where one of those could not be stored it is not to blame, and may be asked again. It is a judgement on the
   * present, which no commit proves: it leaves only while the node's lease holds.
   */
  private resting(turn: Turn, on: readonly Turn[]): Turn | null {
    if (on.length === 0 && this.node.serving()) return null;
    let left = on.length;
    const settle = (failure: Refusal | null) => {
      const refusal = failure ?? (this.node.serving() ? null : unavailable('the node lease has run out'));
      for (const settled of turn.settled.splice(0)) settled(refusal, []);
    };
    for (const pending of on) {
      pending.settled.push((failure) => {
        if (failure)
          settle(failure.is === 'retry' ? failure : unavailable('what it was judged by was not stored'));
        else if (--left === 0) settle(null);
      });
    }
    if (left === 0) queueMicrotask(() => settle(null));
    return turn;
  }

  private make(partition: Partition, call: PendingCall): Made | { is: 'broken'; error: Error } {
    try {
      return makeTurn(this.node, {
        company: call.company,
        partition: partition.number,
        works: call.works,
        absent: call.absent,
        ...(call.claim ? { claim: call.claim } : {}),
      });
    } catch (error) {
      return { is: 'broken', error: error instanceof Error ? error : new Error(String(error)) };
    }
  }
}
