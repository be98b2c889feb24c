/** P10: bad input never changes state and never stops the server. */
import { type Evidence, placeOf } from './evidence.ts';

const INSIDE = /^(xstate\..*|GRANT|LEASE\.EXPIRED|RETRY\.DUE|AGENT\..*)$/;

export function inside({ entries, told, thrown }: Evidence): string[] {
  const found = thrown.map((text) => `would have ended the process: ${text}`);
  for (const seen of entries) {
    const { event, actor } = seen.json;
    if (INSIDE.test(event.type) && actor.kind !== 'system')
      found.push(`${placeOf(seen)}: ${event.type} came from ${actor.id}`);
  }
  for (const { type, by, is } of told)
    if (INSIDE.test(type) && is !== 'refused') found.push(`${by} sent ${type} and was told ${is}`);
  return found;
}
