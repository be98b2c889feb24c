/** The machine's layout for a page that draws it, or what is said in its place. */
import { type ReadonlySignal, useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Layout } from '../../../src/machines/drawing.ts';
import { client } from '../session.ts';
import { drawing } from './drawing.ts';

interface Drawing {
  readonly layout: ReadonlySignal<Layout | null>;
  /** Shown while there is no layout. */
  readonly instead: ComponentChildren;
}

export function useDrawing(): Drawing {
  const layout = useSignal<Layout | null>(null);
  const failed = useSignal<string | null>(null);
  useEffect(() => {
    const { value: from } = client;
    if (from === null) return;
    drawing(from).then(
      (found) => {
        layout.value = found;
      },
      (error: Error) => {
        failed.value = error.message;
      },
    );
  }, [client.value]);
  const instead =
    failed.value === null ? (
      <p class="empty">Loading the drawing…</p>
    ) : (
      <p class="empty" role="alert">
        The drawing could not be loaded: {failed.value} Load the page again.
      </p>
    );
  return { layout, instead };
}
