/** Every call is answered, with the actor as of what is answered, and nothing happens that nobody expects. */
import type { Evidence } from './evidence.ts';

export function answers({ stuck, surprises, told }: Evidence): string[] {
  const found = [...stuck.map((what) => `nobody answered ${what}`), ...surprises];
  for (const { by, is, type, actorId, version, shown } of told) {
    if (is === 'accepted' && shown !== version)
      found.push(`${by} was told ${type} of ${actorId} at version ${version} and shown version ${shown}`);
    // What was done before, or changes nothing, is shown as it is by now: never as it was before that.
    if ((is === 'duplicate' || is === 'unchanged') && (shown ?? 0) < (version ?? 0))
      found.push(
        `${by} was told ${is} ${type} of ${actorId} at version ${version} and shown version ${shown}`,
      );
  }
  return found;
}
