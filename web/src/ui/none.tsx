/** What a page says where there is nothing to show: why, and the way back to the list. */
import type { ComponentChildren } from 'preact';
import { addressOf } from '../location.ts';

interface NoneProps {
  readonly title: ComponentChildren;
  /** It came unexpectedly: screen readers say it at once. */
  readonly alert?: boolean;
  readonly children: ComponentChildren;
}

export function None({ title, alert = false, children }: NoneProps) {
  return (
    <div class="page none" role={alert ? 'alert' : undefined}>
      <h1>{title}</h1>
      <p class="quiet">{children}</p>
      <p>
        <a class="button" href={addressOf('/')}>
          All issues
        </a>
      </p>
    </div>
  );
}
