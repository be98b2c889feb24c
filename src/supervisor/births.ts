/**
 * Ids of what is made (decision 0003). With an idempotency key the id is made from (who, what, where, key), so that the
 * same creation sent again meets the first thing by its primary key, on any node, after any crash.
 */
import { createHash } from 'node:crypto';
import type { Random } from '../clock.ts';
import { idOf } from '../ids.ts';
import type { Actor } from '../machines/kind.ts';

/** The id of the `index`th thing of a creation. `scope`: what it is made in (a company's id, '' for the server). */
export function birthId(
  random: Random,
  letter: string,
  partition: number,
  of: { by: Actor; scope: string; key: string | undefined; index: number },
): string {
  if (of.key === undefined) return random.id(letter, partition);
  const text = JSON.stringify([of.by.kind, of.by.id, letter, of.scope, of.key, of.index]);
  return idOf(letter, partition, createHash('sha256').update(text).digest('hex').slice(0, 18));
}

/** Where a new company goes: by its key's hash, or by chance, among the partitions this node owns. */
export function birthPartition(
  random: Random,
  owned: readonly number[],
  by: Actor,
  key: string | undefined,
): number {
  if (key === undefined) return owned[Math.floor(random.u() * owned.length)]!;
  const hash = createHash('sha256')
    .update(JSON.stringify([by.kind, by.id, key]))
    .digest();
  return hash.readUInt16BE(0) % 4096;
}
