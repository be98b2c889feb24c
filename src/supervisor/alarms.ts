/**
 * What happens when a time has come (architecture, flow 2): an actor's own timer, a run's lease, a claim's deadline. The
 * first two go the same way as any event from the mailbox on.
 */
import { partitionOf } from '../ids.ts';
import type { PendingClaim } from './claims.ts';
import type { Node } from './node.ts';
import type { Partition } from './partition.ts';
import { AFTER_MS } from './refusals.ts';
import type { Resident } from './resident.ts';
import { leaseKey } from './run-leases.ts';

const CLAIM = 'claim ';
/** Wait after a turn was refused that must come some day (it caused too many events), ms: long, for it costs a turn. */
const REFUSED_MS = 5000;

export class Alarms {
  private readonly claimsByKey = new Map<string, PendingClaim>();
  private claimCount = 0;

  private readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }

  fired(key: string, due: number): void {
    this.node.meter.fired(this.node.clock.now() - due);
    if (key.startsWith(CLAIM)) {
      this.claimDue(key);
      return;
    }
    const lease = key.startsWith(leaseKey(''));
    const actorId = lease ? key.slice(leaseKey('').length) : key;
    const partition = this.node.partitions.get(partitionOf(actorId));
    if (!partition) return;
    const event = lease ? this.node.leases.expire(actorId) : { type: 'due' };
    if (!event) return;
    void this.postTimed(partition, key, actorId, event);
  }

  /** `key`: the timer's, to set it again where nothing came of it. */
  private async postTimed(
    partition: Partition,
    key: string,
    actorId: string,
    event: { readonly type: string },
  ): Promise<void> {
    const resident = this.node.residence.get(actorId);
    let actor: Resident | null = resident ?? null;
    const held = key === actorId ? undefined : this.node.slots.slotOf(actorId)?.pool;
    if (!actor) {
      let absent: string[];
      try {
        absent = await this.node.loader.load([actorId]);
      } catch {
        this.again(partition, key);
        return;
      }
      actor = this.node.residence.get(actorId) ?? null;
      // There is one, and it was forgotten again before we came to it.
      if (!actor && absent.length === 0) this.again(partition, key);
    }
    const company = actor && partition.companies.get(actor.companyId);
    if (!actor || !company || partition.state === 'lost') return;
    this.node.mailbox.post(partition, {
      company,
      works: [{ actorId, event, by: { kind: 'system', id: 'baton' }, due: key === actorId }],
      absent: new Set(),
      ended: (outcome) => {
        if (outcome.is !== 'accepted') this.node.armTimers(actor);
        else if (held !== undefined) this.node.slots.left(held);
      },
      failed: (refusal) => {
        if (!actor.quarantine) this.again(partition, key, refusal.is === 'retry' ? AFTER_MS : REFUSED_MS);
      },
    });
  }

  /** Nothing came of it: the same timer once more, a little later. */
  private again(partition: Partition, key: string, ms = AFTER_MS): void {
    if (partition.state !== 'lost') this.node.timers.set(key, this.node.clock.now() + ms);
  }

  /** Sets a claim's deadline; answers the key to take it back with. */
  setDeadline(claim: PendingClaim): string {
    const key = `${CLAIM}${++this.claimCount}`;
    this.claimsByKey.set(key, claim);
    this.node.timers.set(key, this.node.clock.now() + claim.claim.waitMs);
    return key;
  }

  clearDeadline(key: string): void {
    this.claimsByKey.delete(key);
    this.node.timers.cancel(key);
  }

  private claimDue(key: string): void {
    const claim = this.claimsByKey.get(key);
    this.claimsByKey.delete(key);
    if (claim) this.node.withdraw(claim);
  }
}
