/**
 * A dead process that its parent has not asked for keeps its process group there for whoever signals it. In a container
 * whose first process asks for nobody that is for ever.
 */
import { readdirSync } from 'node:fs';
import { statOf } from '../../process-identity.ts';

/** True: the group has members, and all of them are dead. False also where the system does not tell (no /proc). */
export function hasOnlyZombies(group: number): boolean {
  let found = false;
  for (const name of entries('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const [state, , processGroup] = statOf(pid) ?? [];
    if (Number(processGroup) !== group) continue;
    if (state !== 'Z' && state !== 'X') return false;
    found = true;
  }
  return found;
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
