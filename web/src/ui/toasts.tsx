/** What happened to what somebody asked for: accepted, or refused with the reason and what to do. */
import { signal } from '@preact/signals';
import { pageClock } from '../clock.ts';
import { Icon } from './icon.tsx';

interface Toast {
  id: number;
  is: 'done' | 'refused';
  text: string;
  /** Of a refusal: its code, what to do, what has changed. */
  code?: string;
  hint?: string;
}

const toasts = signal<readonly Toast[]>([]);
let next = 1;
/** A refusal stays until it is closed: it may be the answer to something important. */
const DONE_MS = 4000;
const MOST = 4;

export function toast(toast: Omit<Toast, 'id'>): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(1 - MOST), { ...toast, id }];
  if (toast.is === 'done') pageClock.after(DONE_MS, () => dismiss(id));
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="log" aria-live="polite" aria-label="What happened">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast toast-${one.is}`}>
          <Icon name={one.is === 'done' ? 'check' : 'alert'} />
          <div>
            <p>
              {one.code !== undefined && <code>{one.code}</code>} {one.text}
            </p>
            {one.hint !== undefined && <p class="quiet">{one.hint}</p>}
          </div>
          <button type="button" class="icon-button" aria-label="Dismiss" onClick={() => dismiss(one.id)}>
            <Icon name="close" size={14} />
          </button>
        </div>
      ))}
    </div>
  );
}
