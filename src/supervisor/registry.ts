/** Companies, keys and run logs: what is not an actor and lies in the catalog. */
import { createHash } from 'node:crypto';
import { isId, LETTER, partitionOf } from '../ids.ts';
import type { Actor } from '../machines/kind.ts';
import type { Catalog, CompanyRow, KeyRow, LogLine } from '../persistence/catalog.ts';
import { answered } from './asking.ts';
import { birthId, birthPartition } from './births.ts';
import { Company } from './company.ts';
import type { Node } from './node.ts';
import type { Placement } from './placement.ts';
import { refuse, unavailable } from './refusals.ts';

/** Random bytes of a key's secret: 256 bits. */
const SECRET_BYTES = 32;

export class Registry {
  private readonly node: Node;
  private readonly placement: Placement;
  private readonly catalog: Catalog;

  constructor(node: Node, placement: Placement, catalog: Catalog) {
    this.node = node;
    this.placement = placement;
    this.catalog = catalog;
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
  ) {
    const of = { by, scope: k.companyId, key, index: 0 };
    const id = birthId(this.node.random, LETTER.key, partitionOf(k.companyId), of);
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

  revokeKey(id: string, by: Actor): Promise<KeyRow | null> {
    return answered(this.node, this.catalog.revokeKey(id, this.node.clock.now(), `${by.kind}:${by.id}`));
  }

  revoked(ids: readonly string[]): Promise<string[]> {
    return answered(this.node, this.catalog.revoked(ids));
  }

  appendLog(runId: string, lines: readonly LogLine[]): Promise<void> {
    return answered(this.node, this.catalog.appendLog(runId, lines));
  }

  log(runId: string, after: number, limit: number): Promise<(LogLine & { offset: number })[]> {
    return answered(this.node, this.catalog.log(runId, after, limit));
  }
}
