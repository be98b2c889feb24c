/** P3: an acknowledged event is in the journal, once, and a key is applied once. */
import { type Evidence, placeOf } from './evidence.ts';

/** An actor remembers this many keys: only within them is a repeat known. */
const KEPT_KEYS = 16;

export function acknowledged({ entries, told, slips, rows, pruned }: Evidence): string[] {
  const found: string[] = [];
  const byVersion = new Map<string, Evidence['entries'][number]>();
  const keyed = new Map<string, string[]>();
  for (const seen of entries) {
    const place = `${seen.row.actorId}@${seen.row.version}`;
    if (byVersion.has(place)) found.push(`${placeOf(seen)} is in the journal twice`);
    byVersion.set(place, seen);
    const { key } = seen.json;
    if (key === undefined) continue;
    const keys = keyed.get(seen.row.actorId) ?? [];
    if (keys.slice(-KEPT_KEYS).includes(key)) found.push(`${placeOf(seen)} applies key ${key} again`);
    keys.push(key);
    keyed.set(seen.row.actorId, keys);
  }
  const stored = new Map(rows.map((row) => [row.id, row.version]));
  for (const t of told) {
    if (t.version === null || t.is === 'refused') continue;
    const said = `${t.by} was told ${t.is} ${t.type} of ${t.actorId} at version ${t.version}`;
    if (t.version > (stored.get(t.actorId) ?? 0) && !pruned.has(t.actorId))
      found.push(`${said}, which is not stored`);
    const seen = byVersion.get(`${t.actorId}@${t.version}`);
    if (!seen) {
      found.push(`${said}, which is not in the journal`);
    } else if (t.is === 'accepted' && seen.json.type !== nameOf(t.type, seen.json.type)) {
      found.push(`${said}, the journal has ${seen.json.type}`);
    } else if ((t.is === 'accepted' || t.is === 'duplicate') && t.key !== null) {
      if (!seen.json.key?.endsWith(`:${t.by}:${t.key}`)) found.push(`${said}, its key ${t.key} is not there`);
    }
  }
  for (const slip of slips) if (slip.what === 'uncommitted') found.push(slip.detail);
  return found;
}

/** A detached run's last word is journalled as STOPPED. */
function nameOf(sent: string, journalled: string): string {
  return sent.startsWith('RUN.') && journalled === 'STOPPED' ? 'STOPPED' : sent;
}
