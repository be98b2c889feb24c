/** Says that what is seen is old, and how old: when the connection is lost, and when an open one has gone quiet. */
import { pageClock, tick } from '../clock.ts';
import { age } from '../duration.ts';
import { session } from '../session.ts';
import { Icon } from '../ui/icon.tsx';

/** Counts come every second: after so many seconds without a sign, the page says so. */
const QUIET_MS = 6000;

export function Banner() {
  // The clock is read, not only the session: an old picture grows older without any event.
  tick.value;
  const { link, heardAt } = session.value;
  const now = pageClock.now();
  const oldMs = now - heardAt;
  if (link.is === 'lost') {
    const inMs = Math.max(0, link.nextAt - now);
    return (
      <div class="banner" role="alert">
        <Icon name="alert" />
        <span>
          Connection lost. What you see is <strong>{age(oldMs)} old</strong>
          {inMs > 1000 ? `; next attempt in ${Math.ceil(inMs / 1000)} s.` : '; connecting again…'}
        </span>
      </div>
    );
  }
  if (link.is === 'open' && oldMs > QUIET_MS && !document.hidden) {
    return (
      <div class="banner" role="status">
        <Icon name="alert" />
        <span>
          Connected, but nothing was heard for <strong>{age(oldMs)}</strong>: the server or its database may
          be slow.
        </span>
      </div>
    );
  }
  return null;
}
