/**
 * Where an id lives (A12, A13): its partition on this node when it is ready, a short wait while it is being recovered, or
 * a refusal that names the node that owns it.
 */
import { partitionOf } from '../ids.ts';
import { Company } from './company.ts';
import type { Node } from './node.ts';
import type { Ownership } from './ownership.ts';
import type { Partition } from './partition.ts';
import { isRefusal, moved, refuse, unavailable } from './refusals.ts';
import type { Readiness, Refusal } from './router.ts';

/** How long a request waits for a partition that is being recovered (a start, a takeover), ms. */
const RECOVERY_PATIENCE_MS = 5000;

export class Placement {
  private readonly node: Node;
  private readonly ownership: Ownership;

  constructor(node: Node, ownership: Ownership) {
    this.node = node;
    this.ownership = ownership;
  }

  readiness(): Readiness {
    const partitions = [...this.node.partitions.values()];
    const recovering = partitions.filter((p) => p.state === 'recovering').length;
    let reason: string | null = null;
    if (this.node.draining) reason = 'draining';
    // Anybody may ask, so the cause, which names hosts and paths, is in the log alone.
    else if (!this.ownership.serving) reason = 'the database does not answer';
    else if (partitions.length === 0) reason = 'owns no partition yet';
    else if (recovering > 0) reason = `recovering ${recovering} partitions`;
    return { ready: reason === null, reason, node: this.node.node, partitions: partitions.length };
  }

  /** The partition when it may serve right now: the common case, without a promise. */
  placed(id: string): Partition | Refusal | null {
    const at = this.node.partition(id);
    if (isRefusal(at)) return at.code === 'DRAINING' ? at : null;
    if (at.state !== 'ready') return null;
    if (!this.ownership.serving) return unavailable('the node lease has run out; it is being renewed');
    return at;
  }

  /** Waits a while for a partition that is on its way; else says who has it. */
  async place(id: string): Promise<Partition | Refusal> {
    const until = this.node.clock.monotonic() + RECOVERY_PATIENCE_MS;
    for (;;) {
      const at = this.node.partition(id);
      if (!isRefusal(at)) {
        await Promise.race([at.settled, this.pause(until - this.node.clock.monotonic())]);
        if (at.state === 'ready') return this.placed(id) ?? moved();
      } else if (at.code === 'DRAINING') {
        return at;
      } else if (this.ownership.serving) {
        const owner = await this.ownerOf(partitionOf(id));
        if (owner !== null && owner !== this.node.node) {
          return unavailable(`node ${owner} owns this partition`, { owner });
        }
      }
      if (this.node.clock.monotonic() >= until) {
        return unavailable('this partition is not ready yet');
      }
      await this.pause(50);
    }
  }

  private async ownerOf(partition: number): Promise<string | null> {
    try {
      return (await this.node.store.owners([partition]))[0]?.owner ?? null;
    } catch {
      return null;
    }
  }

  async anyReady(): Promise<void> {
    const until = this.node.clock.monotonic() + RECOVERY_PATIENCE_MS;
    while (this.node.clock.monotonic() < until && !this.node.draining) {
      if ([...this.node.partitions.values()].some((p) => p.state === 'ready')) return;
      await this.pause(20);
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.node.clock.after(Math.max(0, ms), resolve));
  }

  /** A company of this partition; one that another node has made since the takeover is looked up. */
  async known(at: Partition, companyId: string): Promise<Company | Refusal> {
    if (!at.companies.has(companyId)) {
      const read = await this.node.store.counters([at.number]).catch(() => null);
      if (!read) return unavailable('the database does not answer');
      if (at.state === 'lost') return moved();
      for (const counters of read) {
        if (!at.companies.has(counters.companyId))
          at.companies.set(counters.companyId, new Company(counters, this.node.feedMemory));
      }
    }
    return at.companies.get(companyId) ?? refuse('NOT_FOUND', 'there is no such company');
  }

  /** The company of an actor in memory: the common case, without a promise. */
  companyAt(at: Partition, id: string): Company | null {
    const actor = this.node.residence.get(id);
    return (actor && at.companies.get(actor.companyId)) ?? null;
  }

  /** The company of an actor, loading the actor when it is not in memory. */
  async companyOf(at: Partition, id: string): Promise<Company | Refusal> {
    let absent: string[];
    try {
      absent = await this.node.loader.load([id]);
    } catch {
      return unavailable('the database does not answer');
    }
    // Nothing arrives for a partition that was lost meanwhile: that says nothing of what exists.
    if (at.state === 'lost') return moved();
    const actor = this.node.residence.get(id);
    if (actor) return this.known(at, actor.companyId);
    return absent.length > 0
      ? refuse('NOT_FOUND', 'there is no such thing')
      : unavailable('it was not in memory any more');
  }
}
