/** A modal dialog: the platform's own, which keeps the focus inside and closes on Escape. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

export function Dialog(props: { label: string; class?: string; close(): void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${props.class ?? ''}`}
      aria-label={props.label}
      onClose={props.close}
      onClick={(event) => {
        // Only the backdrop is the dialog itself; what is inside fills it.
        if (event.target === ref.current) ref.current?.close();
      }}
      onKeyDown={() => {}}
    >
      <div class="dialog-body">{props.children}</div>
    </dialog>
  );
}
