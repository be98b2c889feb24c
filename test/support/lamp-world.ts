/** A node of lamps and sockets over the memory store, on a manual clock: what the runtime's own tests stand on. */
import { type Random, systemRandom } from '../../src/clock.ts';
import type { MemoryFaults } from '../../src/persistence/memory-faults.ts';
import { MemoryStore } from '../../src/persistence/memory-store.ts';
import { startNode } from '../../src/supervisor/start-node.ts';
import { lampKind, socketKind } from './lamp-kind.ts';
import { ManualClock } from './manual-clock.ts';

export const ME = { kind: 'operator', id: 'me' } as const;
const PARTITION = 7;

export interface LampWorldOptions {
  readonly faults?: MemoryFaults;
  readonly residentBytes?: number;
  readonly random?: Random;
  /** Default: one. The company may be in any of them. */
  readonly partitions?: readonly number[];
  readonly retentionMs?: number;
}

/** A world with one company; `start()` makes a node of it, as often as wanted. */
export async function lampWorld(options: LampWorldOptions = {}) {
  const clock = new ManualClock();
  const faults: { current: MemoryFaults | undefined } = { current: undefined };
  const store = new MemoryStore({
    now: () => clock.now(),
    partitions: options.partitions ?? [PARTITION],
    faults: { fate: (call, node) => faults.current?.fate(call, node) },
  });
  const random = options.random ?? systemRandom();
  const logged: string[] = [];
  const start = async (ownClock = clock) => {
    const running = startNode({
      store,
      catalog: store.catalog,
      clock: ownClock,
      random,
      kinds: [lampKind(), socketKind()],
      nodeTtlMs: 5000,
      residentBytes: options.residentBytes ?? 1e8,
      retentionMs: options.retentionMs ?? 0,
      log: (level, message) => logged.push(`${level} ${message}`),
    });
    await clock.pass(300);
    return running;
  };
  const first = await start();
  const { router } = first;
  const made = await router.createCompany({ name: 'Lamps', prefix: 'LAMP' }, ME);
  if (made.is !== 'made') throw new Error(`no company: ${made.is}`);
  const companyId = made.row.id;
  faults.current = options.faults;
  return {
    clock,
    store,
    faults,
    logged,
    companyId,
    start,
    ...first,
    async socket(max: number, on = router): Promise<string> {
      const born = await on.create({ kind: 'socket', companyId, asked: [{ max }], by: ME });
      if (born.is !== 'accepted') throw new Error(JSON.stringify(born));
      return born.items[0]!.id;
    },
    async lamp(socket?: string, key?: string): Promise<string> {
      // A millisecond apart, so that ranks never tie.
      await clock.pass(1);
      const asked = [socket === undefined ? {} : { socket }];
      const born = await router.create({ kind: 'lamp', companyId, asked, by: ME, ...(key ? { key } : {}) });
      if (born.is !== 'accepted' && born.is !== 'duplicate') throw new Error(JSON.stringify(born));
      return born.items[0]!.id;
    },
    send(
      actorId: string,
      event: { type: string } & Record<string, unknown>,
      more: {
        key?: string;
        expectedVersion?: number;
        first?: { type: string } & Record<string, unknown>;
      } = {},
    ) {
      return router.send({ actorId, event, by: ME, ...more });
    },
    claim(pool: string, claimId: string, { max = 1, waitMs = 0, session = null as never } = {}) {
      return router.claim({ pool, companyId, claimId, max, waitMs, session }).answer;
    },
    /** The journal of one actor, `from → to type`. */
    async story(actorId: string): Promise<string[]> {
      const rows = await store.history(actorId, 0, 1000);
      return rows.map((row) => {
        const { type, to } = JSON.parse(row.entry) as { type: string; to: string };
        return `${type} → ${to}`;
      });
    },
  };
}

export type LampWorld = Awaited<ReturnType<typeof lampWorld>>;
