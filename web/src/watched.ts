/** A store of @xstate/store as a signal: components that read it are drawn again when it changes. */
import { type ReadonlySignal, signal } from '@preact/signals';

interface Readable<C> {
  getSnapshot(): { context: C };
  subscribe(f: (snapshot: { context: C }) => void): unknown;
}

export function watched<C>(store: Readable<C>): ReadonlySignal<C> {
  const seen = signal(store.getSnapshot().context);
  store.subscribe((snapshot) => {
    seen.value = snapshot.context;
  });
  return seen;
}
