/** P1: at most one run holds an issue's authority at any moment, and only who holds it is believed. */
import { type Evidence, placeOf } from './evidence.ts';

interface Held {
  readonly runId: string;
  readonly fence: number;
}

export function authority({ entries }: Evidence): string[] {
  const found: string[] = [];
  const holders = new Map<string, Held>();
  const fences = new Map<string, number>();
  for (const seen of entries) {
    const { json, row } = seen;
    const { event } = json as { event: { type: string; runId?: string; fence?: number } };
    const holder = holders.get(row.actorId);
    if (json.type === 'RUN.SUCCEEDED' || json.type === 'RUN.FAILED') {
      if (holder?.runId !== event.runId || holder?.fence !== event.fence) {
        found.push(`${placeOf(seen)}: run ${event.runId} fence ${event.fence} was believed, ${told(holder)}`);
      }
    }
    for (const { type, data } of json.effects) {
      const runId = String(data.runId);
      const fence = Number(data.fence);
      if (type === 'lock.acquired') {
        const now = holders.get(row.actorId);
        if (now) found.push(`${placeOf(seen)}: run ${runId} acquires, ${told(now)}`);
        if (fence <= (fences.get(row.actorId) ?? 0)) {
          found.push(`${placeOf(seen)}: fence ${fence} was given before`);
        }
        holders.set(row.actorId, { runId, fence });
        fences.set(row.actorId, fence);
      } else if (type === 'lock.released' && data.mode === 'executing') {
        const now = holders.get(row.actorId);
        if (now?.runId !== runId) found.push(`${placeOf(seen)}: run ${runId} is released, ${told(now)}`);
        holders.delete(row.actorId);
      }
    }
  }
  return found;
}

function told(held: Held | undefined): string {
  return held ? `run ${held.runId} fence ${held.fence} holds` : 'nobody holds';
}
