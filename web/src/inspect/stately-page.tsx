/**
 * The inspector's stream in Stately's editor. This page is asked for by pressing a button, and is the only one that may
 * frame anything (its content security policy): before it is opened nothing leaves the origin.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { addressOf, query } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { company } from '../session.ts';
import { bridge } from './bridge.ts';
import './inspect.css';
import { openStream, type Stream } from './stream.ts';

/** The address this document was loaded at: its content security policy is that of no other. */
const [loaded] = performance.getEntriesByType('navigation');

export function StatelyPage(_props: PageProps) {
  const isOwn = loaded !== undefined && new URL(loaded.name).pathname === window.location.pathname;
  useEffect(() => {
    // Gone to within the page: it has to be loaded, for only then may it frame something.
    if (!isOwn) window.location.reload();
  }, [isOwn]);
  return isOwn ? <Handing /> : <p class="empty">Loading…</p>;
}

function Handing() {
  const url = useSignal<string | null>(null);
  const link = useSignal<Stream['link']['value']>({ is: 'connecting' });
  const connections = useSignal(0);
  const failed = useSignal<string | null>(null);
  const frame = useRef<HTMLIFrameElement>(null);
  const issue = query.value.get('issue');
  const narrowed =
    issue !== null ? `issue=${encodeURIComponent(issue)}` : `company=${company.value?.id ?? ''}`;
  useEffect(() => {
    const stream = openStream(narrowed);
    const unwatch = stream.link.subscribe((now) => {
      link.value = now;
    });
    let end = () => {};
    let isOver = false;
    const open = async () => {
      const answer = await fetch('/inspect/settings');
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      const { statelyUrl } = (await answer.json()) as { statelyUrl: string };
      if (isOver) return;
      // The bridge listens before the frame is there: what it says first is not missed.
      end = bridge({
        page: window,
        frame: () => frame.current?.contentWindow ?? null,
        origin: new URL(statelyUrl).origin,
        stream,
        connected: () => {
          connections.value += 1;
        },
      });
      url.value = statelyUrl;
    };
    open().catch((error: Error) => {
      failed.value = error.message;
    });
    return () => {
      isOver = true;
      end();
      unwatch();
      stream.close();
    };
  }, [narrowed]);
  const host = url.value === null ? '' : new URL(url.value).host;
  return (
    <div class="stately">
      <div class="inspect-head">
        <h1>Stately</h1>
        <p class="quiet" role="status">
          {failed.value !== null && `It could not be opened: ${failed.value}.`}
          {link.value.is === 'refused' && link.value.why}
          {failed.value === null &&
            link.value.is !== 'refused' &&
            (connections.value > 0 ? `Sending to ${host}.` : `Waiting for ${host} to say that it listens…`)}
        </p>
        <a class="button" href={addressOf('/inspect', issue === null ? {} : { issue })} target="_self">
          Back, and send nothing more
        </a>
      </div>
      {url.value !== null && (
        <iframe
          ref={frame}
          title={`Stately inspector at ${host}`}
          src={url.value}
          referrerpolicy="no-referrer"
          sandbox="allow-scripts allow-same-origin allow-popups allow-forms"
        />
      )}
    </div>
  );
}
