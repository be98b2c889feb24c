/** Events and births from outside: posted to their partition, answered when what they were judged on is committed (A3). */
import { birthId } from './births.ts';
import type { Company } from './company.ts';
import type { Outcome, Work } from './draft.ts';
import type { SealedEntry } from './entry.ts';
import type { Node } from './node.ts';
import type { Partition } from './partition.ts';
import type { Placement } from './placement.ts';
import { isRefusal, refuse } from './refusals.ts';
import type { Answer, Birth, Born, Envelope, Refusal } from './router.ts';

export class Sending {
  private readonly node: Node;
  private readonly placement: Placement;

  constructor(node: Node, placement: Placement) {
    this.node = node;
    this.placement = placement;
  }

  send(e: Envelope): Promise<Answer> {
    const at = this.placement.placed(e.actorId);
    const company = at && !isRefusal(at) ? this.placement.companyAt(at, e.actorId) : null;
    return at && company && !isRefusal(at) ? this.sendNow(e, at, company) : this.sendOnceFound(e);
  }

  /** The actor is not in memory, or its partition is not ready. */
  private async sendOnceFound(e: Envelope): Promise<Answer> {
    const at = this.placement.placed(e.actorId) ?? (await this.placement.place(e.actorId));
    if (isRefusal(at)) return this.counted(e.event.type, at);
    const company =
      this.placement.companyAt(at, e.actorId) ?? (await this.placement.companyOf(at, e.actorId));
    if (isRefusal(company)) return this.counted(e.event.type, company);
    return this.sendNow(e, at, company);
  }

  private sendNow(e: Envelope, at: Partition, company: Company): Promise<Answer> {
    const over = this.node.overload(at.number);
    if (over) return Promise.resolve(this.counted(e.event.type, over));
    return new Promise((resolve) => {
      this.post(at, company, [e], (answer, entries) => {
        if (isRefusal(answer)) return resolve(this.counted(e.event.type, answer));
        if (answer.is === 'ignored' || answer.is === 'born') {
          return resolve(this.counted(e.event.type, refuse('INTERNAL', `${e.event.type} came to nothing`)));
        }
        const { actor, version } = answer;
        const is = answer.is === 'renewed' ? 'unchanged' : answer.is;
        const ids = answer.is === 'renewed' ? [] : answer.ids;
        this.node.meter.answered(e.event.type, is);
        // Where its batch has moved the actor on since, a first answer's view is its change's: made once for both.
        const isPast = is === 'accepted' && version !== actor.committed?.version;
        const past =
          isPast && entries.find((entry) => entry.actorId === actor.id && entry.version === version);
        resolve({ is, version, view: past ? past.view : this.node.showing.committed(actor), ids });
      });
    });
  }

  async create(b: Birth): Promise<Born> {
    const at = this.placement.placed(b.companyId) ?? (await this.placement.place(b.companyId));
    if (isRefusal(at)) return this.counted('CREATED', at);
    const company = at.companies.get(b.companyId) ?? (await this.placement.known(at, b.companyId));
    if (isRefusal(company)) return this.counted('CREATED', company);
    const kind = this.node.kinds.get(b.kind);
    if (!kind) throw new Error(`no kind ${b.kind}`);
    const over = this.node.overload(at.number);
    if (over) return this.counted('CREATED', over);
    const works = b.asked.map((asked, index): Work => {
      const of = { by: b.by, scope: company.id, key: b.key, index };
      const actorId = birthId(this.node.random, kind.letter, at.number, of);
      return { actorId, event: { type: 'CREATED' }, by: b.by, key: b.key, birth: { kind, asked } };
    });
    return new Promise((resolve) => {
      this.post(at, company, works, (answer) => {
        if (isRefusal(answer)) return resolve(this.counted('CREATED', answer));
        if (answer.is !== 'born') return resolve(refuse('INTERNAL', 'the creation came to nothing'));
        this.node.meter.answered('CREATED', answer.duplicate ? 'duplicate' : 'accepted');
        const items = answer.actors.map((actor) => ({
          id: actor.id,
          version: actor.committed?.version ?? 1,
          view: this.node.showing.committed(actor),
        }));
        resolve({ is: answer.duplicate ? 'duplicate' : 'accepted', items });
      });
    });
  }

  /** Posts works and answers once what the outcome was judged on is committed. */
  private post(
    at: Partition,
    company: Company,
    works: readonly Work[],
    done: (outcome: Exclude<Outcome, { is: 'refused' }> | Refusal, entries: readonly SealedEntry[]) => void,
  ): void {
    this.node.mailbox.post(at, {
      company,
      works,
      absent: new Set(),
      ended: (outcome, after) => {
        if (after) after.settled.push((failure, entries) => done(failure ?? outcome, entries));
        else done(outcome, []);
      },
      failed: (refusal) => done(refusal, []),
    });
  }

  private counted(type: string, refusal: Refusal): Refusal {
    this.node.meter.answered(type, refusal.code);
    return refusal;
  }
}
