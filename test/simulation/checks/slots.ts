/** P7: an agent never holds more slots than it has, and none is given while it is not open. */
import { type Evidence, placeOf } from './evidence.ts';

export function slots({ steps }: Evidence): string[] {
  const found: string[] = [];
  const places = new Map<string, string>();
  const held = new Map<string, number>();
  const offers = new Map<string, { max: number; open: boolean }>();
  for (const { seen, kind, after } of steps) {
    const { actorId } = seen.row;
    const capacity = kind.capacity?.(after.state);
    if (capacity) offers.set(capacity.pool, capacity);
    const slot = kind.slot(after.state);
    const pool = slot?.mode === 'holds' ? slot.pool : null;
    const before = places.get(actorId) ?? null;
    if (pool === before) continue;
    if (before !== null) held.set(before, (held.get(before) ?? 0) - 1);
    if (pool === null) {
      places.delete(actorId);
      continue;
    }
    places.set(actorId, pool);
    const now = (held.get(pool) ?? 0) + 1;
    held.set(pool, now);
    const offer = offers.get(pool);
    if (!offer || now > offer.max) found.push(`${placeOf(seen)}: ${pool} holds ${now} of ${offer?.max ?? 0}`);
    if (!offer?.open) found.push(`${placeOf(seen)}: ${pool} gives a slot and is not open`);
  }
  return found;
}
