/**
 * What a run's worker printed. The log is no part of the journal and has no topic, so it is read: when it is opened, and
 * every two seconds while its run is executed and the page is in front.
 */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Change, LogLine } from '../../../src/client/index.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { every } from '../clock.ts';
import { clockTime } from '../duration.ts';
import { client } from '../session.ts';
import { timelineOf } from './spans.ts';

type Line = LogLine & { offset: number };
const READ_EVERY_MS = 2000;
const KEPT_LINES = 2000;

export function RunLog({ issue, journal }: { issue: IssueView; journal: readonly Change[] }) {
  const chosen = useSignal<string | null>(null);
  const lines = useSignal<readonly Line[]>([]);
  const failed = useSignal<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const runs = useMemo(() => timelineOf(journal), [journal]);
  const started = runs.filter(({ spans }) => spans.some(({ is }) => is === 'executing'));
  const runId = started.find(({ id }) => id === chosen.value)?.id ?? started.at(-1)?.id ?? null;
  const isLive = issue.run?.id === runId && issue.substate === 'executing';
  useEffect(() => {
    lines.value = [];
    failed.value = null;
  }, [runId]);
  useEffect(() => {
    const { value: from } = client;
    if (runId === null || from === null) return;
    let isOver = false;
    const read = async () => {
      try {
        for (;;) {
          const page = await from.http.log(runId, lines.peek().at(-1)?.offset ?? 0);
          if (isOver || page.items.length === 0) return;
          const isAtEnd = box.current === null || atEnd(box.current);
          lines.value = [...lines.peek(), ...page.items].slice(-KEPT_LINES);
          if (isAtEnd) requestAnimationFrame(() => box.current?.scrollTo({ top: box.current.scrollHeight }));
        }
      } catch (error) {
        if (!isOver) failed.value = (error as Error).message;
      }
    };
    void read();
    const stop = isLive ? every(READ_EVERY_MS, () => !document.hidden && void read()) : () => {};
    return () => {
      isOver = true;
      stop();
    };
    // Read once more when it has ended: the last lines come late.
  }, [runId, isLive, client.value]);
  return (
    <section class="card run-log" aria-label="Run log">
      <div class="card-head">
        <h2>Log</h2>
        {started.length > 0 && (
          <label class="choice">
            <span class="visually-hidden">Run</span>
            <select value={runId ?? ''} onChange={(event) => (chosen.value = event.currentTarget.value)}>
              {started.toReversed().map((run) => (
                <option key={run.id} value={run.id}>
                  run {run.n}
                </option>
              ))}
            </select>
          </label>
        )}
        {isLive && <p class="quiet">read every two seconds</p>}
      </div>
      {failed.value !== null && (
        <p class="quiet" role="alert">
          The log could not be read: {failed.value}
        </p>
      )}
      {lines.value.length === 0 ? (
        <p class="empty small">
          {runId === null ? 'Nothing has been executed yet.' : 'Its worker has printed nothing.'}
        </p>
      ) : (
        <div class="log-lines" ref={box} tabIndex={0} role="region" aria-label="Lines of the log">
          {lines.value.map((line) => (
            <div key={line.offset} class={`line stream-${line.stream}`}>
              <time>{clockTime(line.at)}</time>
              <span>{line.text}</span>
            </div>
          ))}
        </div>
      )}
    </section>
  );
}

function atEnd(of: HTMLElement): boolean {
  return of.scrollHeight - of.scrollTop - of.clientHeight < 24;
}
