/** P2: a stale owner's write is refused and changes nothing; nobody answers for what another has gone on with. */
import type { Evidence } from './evidence.ts';
import { placeOf } from './evidence.ts';

export function ownership({ entries, slips }: Evidence): string[] {
  const found: string[] = [];
  const versions = new Map<string, { version: number; epoch: number }>();
  const seqs = new Map<string, number>();
  for (const seen of entries) {
    const { actorId, companyId, version, epoch, seq } = seen.row;
    const last = versions.get(actorId) ?? { version: 0, epoch: 0 };
    if (version !== last.version + 1) found.push(`${placeOf(seen)} follows version ${last.version}`);
    if (epoch < last.epoch) found.push(`${placeOf(seen)}: epoch ${epoch} after ${last.epoch}`);
    versions.set(actorId, { version, epoch });
    const lastSeq = seqs.get(companyId) ?? 0;
    if (seq !== lastSeq + 1) found.push(`${placeOf(seen)} follows seq ${lastSeq}`);
    seqs.set(companyId, seq);
  }
  for (const slip of slips) if (slip.what === 'stale') found.push(slip.detail);
  return found;
}
