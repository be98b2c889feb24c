/**
 * Sends an internal event to every actor that concerns another one (a terminated agent's issues), in pages, each page
 * one turn (domain section 2). The announcing actor is told when all have been sent; its own timer announces again after
 * a crash, so nothing is forgotten.
 */

import { partitionOf } from '../ids.ts';
import type { Company } from './company.ts';
import type { Turn, Work } from './draft.ts';
import type { Node } from './node.ts';
import type { Partition } from './partition.ts';

/** Actors per turn (domain: pages of 500). */
const PAGE = 500;

type Spread = Turn['spreads'][number]['spread'];

/** Runs one spread to its end, or until the database or the partition is gone; never throws. */
export async function spreadOut(
  node: Node,
  company: Company,
  announcer: string,
  spread: Spread,
): Promise<void> {
  // The company's numbering is worth something only as long as the partition is the one it was read for.
  const partition = node.partitions.get(partitionOf(company.id));
  if (!partition) return;
  try {
    for (const kind of node.kinds.values()) {
      if (!kind.grant) continue;
      let after = 0;
      for (;;) {
        const { rows } = await node.store.snapshot({
          companyId: company.id,
          kind: kind.kind,
          about: { id: spread.id, states: spread.states },
          after,
          limit: PAGE,
        });
        if (rows.length === 0) break;
        const sent = await post(
          node,
          partition,
          company,
          rows.map((row) => ({ actorId: row.id, event: spread.event, by: SYSTEM })),
        );
        if (!sent) return;
        after = rows.at(-1)!.ordinal;
      }
    }
    await post(node, partition, company, [{ actorId: announcer, event: spread.done, by: SYSTEM }]);
  } catch (error) {
    node.log('warn', 'a spread stopped half-way; its timer takes it up again', {
      announcer,
      error: String(error),
    });
  }
}

const SYSTEM = { kind: 'system', id: 'baton' } as const;

/** One turn of internal events; true once it is committed. */
function post(node: Node, partition: Partition, company: Company, works: readonly Work[]): Promise<boolean> {
  return new Promise((resolve) => {
    node.mailbox.post(partition, {
      company,
      works,
      absent: new Set(),
      ended: (_outcome, after) => {
        if (after) after.settled.push((failure) => resolve(failure === null));
        else resolve(true);
      },
      failed: () => resolve(false),
    });
  });
}
