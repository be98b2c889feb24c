/** Which issues are chosen, by number, and where the keyboard is. */
import { computed, signal } from '@preact/signals';

export const chosen = signal<ReadonlySet<number>>(new Set());
/** The number of the issue that keys act on; null: none yet. */
export const cursor = signal<number | null>(null);

/** What an action is about: what is chosen, else the one the keyboard is on. */
export const meant = computed<readonly number[]>(() => {
  if (chosen.value.size > 0) return [...chosen.value].sort((a, b) => b - a);
  return cursor.value === null ? [] : [cursor.value];
});

export function choose(number: number, isChosen: boolean): void {
  const next = new Set(chosen.peek());
  if (isChosen) next.add(number);
  else next.delete(number);
  chosen.value = next;
}

export function chooseAll(numbers: readonly number[]): void {
  chosen.value = new Set([...chosen.peek(), ...numbers]);
}

export function chooseNone(): void {
  if (chosen.peek().size > 0) chosen.value = new Set();
}

/** What has left the list is no longer chosen: nobody acts on what they cannot see. */
export function keepOnly(isIn: (number: number) => boolean): void {
  const kept = [...chosen.peek()].filter(isIn);
  if (kept.length < chosen.peek().size) chosen.value = new Set(kept);
}
