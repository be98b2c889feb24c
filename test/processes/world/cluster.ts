/** Several nodes on one database, each behind a proxy of its own. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '../../../src/persistence/migrate.ts';
import { temporaryDirectory } from '../../support/postgres.ts';
import { endAllNodes, NodeProcess } from './node-process.ts';
import { CampaignPostgres } from './postgres.ts';
import { FaultProxy } from './proxy.ts';

export interface ClusterPlan {
  readonly nodes: number;
  /** How long a node may be silent, ms. */
  readonly ttlMs: number;
  readonly seams: boolean;
  /** What every node does wrong: one of the deliberate defects of `seam-server.mjs`. */
  readonly defect?: string;
  /** More flags for each node, without dashes. */
  readonly flags?: Readonly<Record<string, string>>;
  /** More settings of PostgreSQL, `name=value`. */
  readonly settings?: readonly string[];
}

/** Whoever speaks with nodes: hears of each that starts and of each that is gone. */
export interface NodeListener {
  started(place: number, url: string): Promise<void>;
  gone(place: number): void;
}

const OWNED_WITHIN_MS = 30_000;

export class Cluster {
  readonly plan: ClusterPlan;
  readonly postgres: CampaignPostgres;
  readonly proxies: readonly FaultProxy[];
  /** By place; a node that was killed stays until another one takes its place. */
  readonly nodes: NodeProcess[] = [];
  /** Names that nodes have in the database, by place. */
  readonly #dirs: string;
  readonly #remove: () => Promise<void>;
  #listener: NodeListener | null = null;

  private constructor(
    plan: ClusterPlan,
    postgres: CampaignPostgres,
    proxies: readonly FaultProxy[],
    directory: { path: string; remove(): Promise<void> },
  ) {
    this.plan = plan;
    this.postgres = postgres;
    this.proxies = proxies;
    this.#dirs = directory.path;
    this.#remove = directory.remove;
  }

  /** Starts the database and the nodes; they share the partitions about evenly. */
  static async open(plan: ClusterPlan): Promise<Cluster> {
    const postgres = await CampaignPostgres.open(plan.settings);
    const proxies: FaultProxy[] = [];
    for (let n = 0; n < plan.nodes; n++) proxies.push(await FaultProxy.open(postgres.socket));
    const cluster = new Cluster(plan, postgres, proxies, await temporaryDirectory());
    try {
      await cluster.#share();
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  listen(listener: NodeListener): void {
    this.#listener = listener;
  }

  /** Starts a node at this place, where none runs. */
  async start(place: number): Promise<NodeProcess> {
    const node = await NodeProcess.start({
      databaseUrl: this.postgres.urlOver(this.proxies[place]!.port),
      dataDir: join(this.#dirs, `node${place}`),
      flags: { 'node-ttl-ms': String(this.plan.ttlMs), ...this.plan.flags },
      seams: this.plan.seams,
      ...(this.plan.defect ? { defect: this.plan.defect } : {}),
    });
    this.nodes[place] = node;
    await this.#listener?.started(place, node.url);
    return node;
  }

  async kill(place: number): Promise<void> {
    const gone = this.nodes[place]!.kill();
    this.#listener?.gone(place);
    await gone;
  }

  /** The place ended by itself, at a seam. */
  lost(place: number): void {
    this.#listener?.gone(place);
  }

  /** Places whose node lives and is not held still. */
  get awake(): number[] {
    return this.nodes.flatMap((node, place) => (node.gone || node.paused ? [] : [place]));
  }

  /** How many partitions have an owner, and how many owners there are. */
  async owned(): Promise<{ partitions: number; owners: number }> {
    const [row] = await this.postgres.query<{ partitions: string; owners: string }>(
      'select count(owner) as partitions, count(distinct owner) as owners from partitions',
    );
    return { partitions: Number(row!.partitions), owners: Number(row!.owners) };
  }

  async close(): Promise<void> {
    for (const node of this.nodes) node.resume();
    await Promise.all(this.nodes.map((node) => (node.gone ? null : node.kill())));
    endAllNodes();
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await this.postgres.close();
    await this.#remove();
  }

  /**
   * A node takes every partition that nobody owns, so the first would take all. Who takes them skips the rows that are
   * locked: we lock each node's share until it is its turn, and hold the others still for that moment.
   */
  async #share(): Promise<void> {
    await migrate(this.postgres.url());
    const { nodes: count } = this.plan;
    const shareOf = (place: number) => Math.ceil((4096 * place) / count);
    const holder = await this.postgres.connect();
    await holder.query('begin');
    // The last share is locked first, so that going back to a savepoint lets go of one share and no more.
    for (let place = count - 1; place > 0; place--) {
      await holder.query(`savepoint share${place}`);
      await holder.query('select from partitions where partition >= $1 and partition < $2 for update', [
        shareOf(place),
        shareOf(place + 1),
      ]);
    }
    for (let place = 0; place < count; place++) {
      const others = [...this.nodes];
      await this.start(place);
      for (const node of others) node.pause();
      if (place > 0) await holder.query(`rollback to savepoint share${place}`);
      await this.#ownedBy(shareOf(place + 1));
      for (const node of others) node.resume();
    }
    await holder.query('rollback');
    await holder.end();
  }

  async #ownedBy(partitions: number): Promise<void> {
    for (let waited = 0; waited < OWNED_WITHIN_MS; waited += 20) {
      const found = await this.owned().catch(() => ({ partitions: 0 }));
      if (found.partitions >= partitions) return;
      await sleep(20);
    }
    throw new Error(`${partitions} partitions were not taken within ${OWNED_WITHIN_MS} ms`);
  }
}
