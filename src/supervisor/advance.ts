/**
 * One version to the next: the transition and what the runtime keeps beside it (head, timers, keys). The turn and the
 * replay of a journal are this one function, so that a journal replayed gives the snapshots byte for byte (A11, P9).
 */

import { replay as apply } from '../machines/fold.ts';
import type { Actor, Stamp } from '../machines/kind.ts';
import type { Stepped } from '../machines/step.ts';
import type { EntryJson } from './entry.ts';
import { type AnyKind, KEPT_KEYS, type Timer, type Version } from './resident.ts';

export interface Advance {
  readonly after: Version;
  readonly stepped: Stepped;
  readonly headChanged: boolean;
}

/**
 * Applies an event. `before` null: a birth. `scope`: the accepted idempotency key, null without one. Null: nothing
 * handles the event in this state.
 * @throws whatever the machine throws.
 */
export function advance(
  kind: AnyKind,
  before: Version | null,
  event: { readonly type: string },
  stamp: Stamp,
  by: Actor,
  scope: string | null,
): Advance | null {
  const stepped = apply(kind, before?.state ?? null, { event, stamp, by });
  if (!stepped.handled) return null;
  const version = (before?.version ?? 0) + 1;
  let head = before?.head ?? {};
  let headChanged = before === null;
  for (const out of stepped.out) {
    if (out.out !== 'head') continue;
    head = { ...head, ...out.patch };
    headChanged = true;
  }
  let keys = before?.keys ?? [];
  if (scope !== null) keys = [...keys.slice(Math.max(0, keys.length - KEPT_KEYS + 1)), [scope, version]];
  const timers = timersAfter(before?.timers ?? [], stepped.timers, stamp.at);
  return {
    after: { state: stepped.next, head, version, timers, keys, updatedAt: stamp.at },
    stepped,
    headChanged,
  };
}

/** The same from a journal row. A timer that fired is no longer set, as in the turn that fired it. */
export function replay(kind: AnyKind, before: Version | null, entry: EntryJson): Version {
  const { event, stamp } = entry;
  const without = before && {
    ...before,
    timers: before.timers.filter((t) => t.event.type !== event.type || t.due > stamp.at),
  };
  const from = before && without!.timers.length < before.timers.length ? without : before;
  const made = advance(kind, from, event, stamp, entry.actor as Actor, entry.key ?? null);
  if (!made) throw new Error(`${entry.type} is not handled at version ${(before?.version ?? 0) + 1}`);
  return made.after;
}

function timersAfter(before: readonly Timer[], changes: Stepped['timers'], at: number): readonly Timer[] {
  if (changes.length === 0) return before;
  const timers = new Map(before.map((t) => [t.id, t]));
  for (const change of changes) {
    if (change.is === 'arm') {
      timers.set(change.id, { id: change.id, due: Math.ceil(at + change.ms), event: change.event });
    } else {
      timers.delete(change.id);
    }
  }
  return [...timers.values()];
}
