/**
 * `npx baton …`: npm runs us by a shell, and a signal that npm is told to end with reaches that shell alone, which ends and
 * says nothing. We would go on, and nobody would know. So, where npx started us, its shell's end is our SIGTERM.
 */
import type { Clock } from '../clock.ts';

const LOOK_MS = 250;

/** Of a command line of ours, not of one that npx started and that starts us in turn. */
export function isOfNpx(env: Readonly<Record<string, string | undefined>>): boolean {
  const { npm_command: command, npm_lifecycle_event: event, npm_lifecycle_script: script = '' } = env;
  return command === 'exec' && event === 'npx' && /^['"]?baton\b/.test(script);
}

/** @param parent the id of our parent process, asked again and again */
export function whenOrphaned(clock: Clock, parent: () => number, then: () => void): void {
  const first = parent();
  const look = () => {
    if (parent() !== first) then();
    else clock.after(LOOK_MS, look);
  };
  look();
}
