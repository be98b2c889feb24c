/** Workers: their claims for work, and their connections (domain section 4). */
import { PendingClaim } from './claims.ts';
import type { Node } from './node.ts';
import type { Placement } from './placement.ts';
import { isRefusal, moved, refuse } from './refusals.ts';
import type { Claim, Claimed, WorkerSession } from './router.ts';

export class Claiming {
  private readonly node: Node;
  private readonly placement: Placement;

  constructor(node: Node, placement: Placement) {
    this.node = node;
    this.placement = placement;
  }

  claim(c: Claim): { answer: Promise<Claimed>; withdraw(): void } {
    let pending: PendingClaim | null = null;
    let withdrawn = false;
    let deadline: string | null = null;
    const answer = (async (): Promise<Claimed> => {
      const at = this.placement.placed(c.pool) ?? (await this.placement.place(c.pool));
      if (isRefusal(at)) return at;
      const company = this.placement.companyAt(at, c.pool) ?? (await this.placement.companyOf(at, c.pool));
      if (isRefusal(company)) return company;
      if (company.id !== c.companyId) return refuse('NOT_FOUND', 'there is no such agent');
      const again = await this.grantedBefore(c);
      if (again.length > 0) return { is: 'granted', grants: again };
      if (withdrawn) return { is: 'granted', grants: [] };
      if (at.state === 'lost') return moved();
      return new Promise<Claimed>((resolve) => {
        const claim = new PendingClaim(c, (answered) => {
          if (deadline !== null) this.node.alarms.clearDeadline(deadline);
          resolve(answered);
        });
        pending = claim;
        const { claims } = this.node.slots.pool(c.pool);
        // Sent again while it still waits: the connection it came over may be dead, and would be granted first.
        for (const other of claims) if (other.claim.claimId === c.claimId) this.node.withdraw(other);
        claims.add(claim);
        this.node.mailbox.post(at, {
          company,
          works: [],
          claim,
          absent: new Set(),
          ended: () => {
            if (claim.state !== 'waiting') return;
            if (c.waitMs <= 0) this.node.withdraw(claim);
            else deadline = this.node.alarms.setDeadline(claim);
          },
          failed: (refusal) => {
            // Granted by another turn while its own waited for a load: that one answers it.
            if (claim.state !== 'waiting') return;
            this.node.slots.find(c.pool)?.claims.delete(claim);
            claim.answer(refusal);
          },
        });
      });
    })();
    return {
      answer,
      withdraw: () => {
        withdrawn = true;
        if (pending) this.node.withdraw(pending);
        this.node.slots.left(c.pool);
      },
    };
  }

  /** What this claim was granted already: its answer was lost, it is asked again (domain section 4). */
  private async grantedBefore(c: Claim): Promise<string[]> {
    const grants: string[] = [];
    for (const id of this.node.slots.find(c.pool)?.holds ?? []) {
      if (this.node.slots.slotOf(id)?.claim !== c.claimId) continue;
      const actor = this.node.residence.get(id);
      if (!actor) continue;
      if (actor.pending) {
        const { pending } = actor;
        await new Promise<void>((resolve) => pending.settled.push(() => resolve()));
      }
      const version = actor.committed;
      if (!version || actor.kind.slot(version.state)?.claim !== c.claimId) continue;
      const granted = actor.kind.granted?.(
        version.state,
        version.head,
        this.node.showing.runtimeOf(actor, version),
      );
      if (!granted) continue;
      const runId = actor.kind.lease?.(version.state)?.runId;
      if (runId !== undefined && c.session) this.node.sessions.granted(runId, c.session);
      grants.push(JSON.stringify(granted));
    }
    return grants;
  }

  async attach(pool: string, session: WorkerSession): Promise<{ detach(): void }> {
    this.node.sessions.attach(pool, session);
    const at = this.placement.placed(pool) ?? (await this.placement.place(pool));
    if (!isRefusal(at)) {
      for (const id of this.node.slots.find(pool)?.holds ?? []) {
        const actor = this.node.residence.get(id);
        const version = actor?.committed;
        if (!actor || !version) continue;
        for (const { frame } of actor.kind.owed?.(version.state) ?? []) session.send(frame);
      }
    }
    return {
      detach: () => {
        this.node.sessions.detach(pool, session);
        this.node.slots.left(pool);
      },
    };
  }
}
