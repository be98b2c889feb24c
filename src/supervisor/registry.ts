/**
 * Companies, keys and run logs: what is not an actor and lies in the catalog. A key has an actor beside its row, whose
 * journal says who made and who revoked it, and why:
 *
 * - RG1 A key is journalled before it exists: none lets anybody in that nobody made.
 * - RG2 A key is revoked before that is journalled: a journal that cannot be written keeps nobody in. The revocation is
 *   then answered as to be tried again, and the repeat journals it.
 */
import { createHash } from 'node:crypto';
import { isId, LETTER, partitionOf } from '../ids.ts';
import type { Actor } from '../machines/kind.ts';
import type { Appended, Catalog, CompanyRow, KeyRow, LogLine } from '../persistence/catalog.ts';
import { answered } from './asking.ts';
import { birthId, birthPartition } from './births.ts';
import { Company } from './company.ts';
import type { Node } from './node.ts';
import type { Placement } from './placement.ts';
import { isRefusal, refuse, unavailable } from './refusals.ts';
import type { Refusal } from './router.ts';
import type { Sending } from './sending.ts';

/** The kind of a key's actor. */
const KEY_KIND = 'key';
/** Random bytes of a key's secret: 256 bits. */
const SECRET_BYTES = 32;

export class Registry {
  private readonly node: Node;
  private readonly placement: Placement;
  private readonly catalog: Catalog;
  private readonly sending: Sending;

  constructor(node: Node, placement: Placement, catalog: Catalog, sending: Sending) {
    this.node = node;
    this.placement = placement;
    this.catalog = catalog;
    this.sending = sending;
  }

  async createCompany(c: { name: string; prefix: string }, by: Actor, key?: string) {
    const owned = [...this.node.partitions.values()].filter((p) => p.state === 'ready').map((p) => p.number);
    if (this.node.draining || owned.length === 0) {
      await this.placement.anyReady();
      owned.push(
        ...[...this.node.partitions.values()].filter((p) => p.state === 'ready').map((p) => p.number),
      );
    }
    if (owned.length === 0) return unavailable('this node owns no partition yet');
    const number = birthPartition(this.node.random, owned, by, key);
    const id = birthId(this.node.random, LETTER.company, number, { by, scope: '', key, index: 0 });
    const made = await answered(
      this.node,
      this.catalog.createCompany({ ...c, id, createdAt: this.node.clock.now() }),
    );
    if (made.is === 'made') {
      const partition = this.node.partitions.get(number);
      if (partition && !partition.companies.has(id)) {
        partition.companies.set(
          id,
          new Company({ companyId: id, prefix: c.prefix, seq: 0, ordinals: {} }, this.node.feedMemory),
        );
      }
    }
    return made;
  }

  company(id: string): Promise<CompanyRow | null> {
    return isId(id, LETTER.company) ? answered(this.node, this.catalog.company(id)) : Promise.resolve(null);
  }

  companies(limit: number, after?: { createdAt: number; id: string }): Promise<CompanyRow[]> {
    return answered(this.node, this.catalog.companies(limit, after));
  }

  async createKey(
    k: { companyId: string; role: KeyRow['role']; agentId: string | null; name: string | null },
    by: Actor,
    key?: string,
    reason?: string,
  ): Promise<{ is: 'made' | 'duplicate'; row: KeyRow; token: string | null } | Refusal> {
    const { companyId, ...asked } = k;
    let id = birthId(this.node.random, LETTER.key, partitionOf(companyId), {
      by,
      scope: companyId,
      key,
      index: 0,
    });
    if (this.journals) {
      const why = reason === undefined ? {} : { reason };
      const birth = { kind: KEY_KIND, companyId, asked: [{ ...asked, ...why }], by };
      const born = await this.sending.create(key === undefined ? birth : { ...birth, key });
      if (isRefusal(born)) return born;
      id = born.items[0]!.id;
    }
    const token = `${id}.${this.node.random.secret(SECRET_BYTES)}`;
    const made = await answered(
      this.node,
      this.catalog.createKey({
        ...k,
        id,
        hash: createHash('sha256').update(token).digest('hex'),
        createdAt: this.node.clock.now(),
        createdBy: `${by.kind}:${by.id}`,
        revokedAt: null,
        revokedBy: null,
      }),
    );
    if (made.is === 'taken') return refuse('CONFLICT', 'the key exists');
    return { is: made.is, row: made.row, token: made.is === 'made' ? token : null };
  }

  key(id: string): Promise<KeyRow | null> {
    return isId(id, LETTER.key) ? answered(this.node, this.catalog.key(id)) : Promise.resolve(null);
  }

  keys(companyId: string, limit: number, after?: { createdAt: number; id: string }): Promise<KeyRow[]> {
    return answered(this.node, this.catalog.keys(companyId, limit, after));
  }

  async revokeKey(
    id: string,
    by: Actor,
    reason?: string,
  ): Promise<{ is: 'revoked'; row: KeyRow } | Refusal | null> {
    const now = this.node.clock.now();
    const row = await answered(this.node, this.catalog.revokeKey(id, now, `${by.kind}:${by.id}`));
    if (row === null) return null;
    if (!this.journals) return { is: 'revoked', row };
    const event = { type: 'REVOKE', ...(reason === undefined ? {} : { reason }) };
    const answer = await this.sending.send({ actorId: id, event, by });
    // One made before keys were journalled has no actor.
    return isRefusal(answer) && answer.code !== 'NOT_FOUND' ? answer : { is: 'revoked', row };
  }

  /** False where the runtime was not given the kind: it hosts others. */
  private get journals(): boolean {
    return this.node.kinds.has(KEY_KIND);
  }

  revoked(ids: readonly string[]): Promise<string[]> {
    return answered(this.node, this.catalog.revoked(ids));
  }

  appendLog(runId: string, lines: readonly LogLine[], key?: string): Promise<Appended> {
    return answered(this.node, this.catalog.appendLog(runId, lines, key));
  }

  log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]> {
    return answered(this.node, this.catalog.log(runId, after, limit));
  }
}
