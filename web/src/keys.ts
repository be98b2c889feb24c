/**
 * The keyboard. A page registers what its keys do while it is shown; the last one registered is asked first. Keys typed
 * into a field are the field's, and while a dialog is open only the dialog's own keys work.
 */

/** How the key beside the space bar is called here. */
export const MOD = /Mac|iP(hone|ad|od)/.test(navigator.platform) ? '⌘' : 'Ctrl+';

export interface KeyHelp {
  keys: string;
  does: string;
}
interface Binding extends KeyHelp {
  run(event: KeyboardEvent): void;
}
/** Key as `KeyboardEvent.key` names it, with `mod+` for ⌘ or Ctrl; `g i` is one after the other. */
export type Keymap = Readonly<Record<string, Binding>>;

const stack: { title: string; map: Keymap }[] = [];
let first: { key: string; at: number } | null = null;
const SEQUENCE_MS = 1200;

/** Takes keys until the result is called. */
export function onKeys(title: string, map: Keymap): () => void {
  const entry = { title, map };
  stack.push(entry);
  return () => {
    const at = stack.indexOf(entry);
    if (at >= 0) stack.splice(at, 1);
  };
}

/** What can be pressed now, for `?`. */
export function keyHelp(): { title: string; keys: KeyHelp[] }[] {
  const groups = new Map<string, Map<string, KeyHelp>>();
  for (const { title, map } of stack) {
    const group = groups.get(title) ?? new Map<string, KeyHelp>();
    for (const { keys, does } of Object.values(map)) group.set(keys + does, { keys, does });
    groups.set(title, group);
  }
  return [...groups].map(([title, keys]) => ({ title, keys: [...keys.values()] }));
}

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  const target = event.target instanceof HTMLElement ? event.target : null;
  const isField = target?.matches('input:not([type=checkbox]), textarea, select, [contenteditable]') ?? false;
  const mod = event.metaKey || event.ctrlKey;
  if ((isField && !mod) || document.querySelector('dialog[open]') !== null) return;
  // Enter and space on a button or a link are that button's or link's.
  if ((event.key === 'Enter' || event.key === ' ') && target?.matches('a, button, summary, input') === true)
    return;
  const key = (mod ? 'mod+' : '') + (event.key.length === 1 && mod ? event.key.toLowerCase() : event.key);
  const sequence = first !== null && event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${key}` : null;
  first = null;
  const maps = stack.map(({ map }) => map).reverse();
  // A sequence anywhere comes before a single key of a page: `g a` is not `a`.
  const found =
    (sequence === null ? undefined : maps.find((map) => map[sequence] !== undefined)?.[sequence]) ??
    maps.find((map) => map[key] !== undefined)?.[key];
  if (found !== undefined) {
    event.preventDefault();
    found.run(event);
    return;
  }
  if (!mod) first = { key, at: event.timeStamp };
});
