/** Runs and backoffs on one time axis: what waited, what was executed, how each ended, and what is to come. */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import type { Change } from '../../../src/client/index.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { agentName } from '../agents/roster.ts';
import { tick } from '../clock.ts';
import { clockTime, duration } from '../duration.ts';
import { Icon, type IconName } from '../ui/icon.tsx';
import { type Outcome, type Span, type TimelineRun, ticksOf, timelineOf } from './spans.ts';

/** Runs that are shown; those before are in the journal. */
const MOST_RUNS = 12;
const ROW = 26;
/** How much room a label at the axis needs, px. */
const TICK_WIDTH = 84;
/** What of it the text takes: nearer to the end it would stand over. */
const LABEL_WIDTH = 56;
/** And with a word before it. */
const DUE_WIDTH = 84;
/** So that a span of a moment can be seen. */
const LEAST_WIDTH = 3;
/** How much of the time to come is shown: of the time that has been, and at least, ms. */
const MOST_AHEAD = 0.5;
const LEAST_AHEAD_MS = 10_000;
const SIGNS: Readonly<Record<Outcome, { icon: IconName; word: string }>> = {
  succeeded: { icon: 'done', word: 'succeeded' },
  failed: { icon: 'alert', word: 'failed' },
  cancelled: { icon: 'cancelled', word: 'cancelled' },
  lost: { icon: 'alert', word: 'lost' },
};
const WORDS: Readonly<Record<Span['is'], string>> = {
  backoff: 'waiting for the retry',
  queued: 'queued',
  executing: 'executing',
  stopping: 'stopping',
};

export function Timeline(props: { journal: readonly Change[]; issue: IssueView; at: number | null }) {
  const { journal, issue, at } = props;
  const width = useSignal(0);
  const plot = useRef<HTMLDivElement>(null);
  const all = useMemo(() => timelineOf(journal), [journal]);
  const isDrawn = all.length > 0;
  useEffect(() => {
    const { current } = plot;
    if (current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      width.value = entry?.contentRect.width ?? 0;
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [isDrawn]);
  const runs = all.slice(-MOST_RUNS);
  const now = useComputed(() => Math.floor(tick.value / 1000) * 1000).value;
  const [first] = runs;
  const begin = Math.min(
    ...(first?.spans.map(({ from }) => from) ?? []),
    first?.end?.at ?? Number.POSITIVE_INFINITY,
    now,
  );
  const isLive = runs.some(({ spans }) => spans.at(-1)?.to === null);
  const ends = runs.flatMap(({ spans, end }) => [...spans.map(({ to }) => to ?? now), end?.at ?? 0]);
  const due = Math.max(0, ...runs.map(({ dueAt }) => dueAt ?? 0));
  // What is to come may be hours away: it is not to press what has been into a corner.
  const ahead = Math.min(due, now + Math.max(LEAST_AHEAD_MS, (now - begin) * MOST_AHEAD));
  const finish = Math.max(begin + 1000, isLive ? now : 0, ahead, ...ends);
  const x = (time: number) => ((time - begin) / (finish - begin)) * 100;
  return (
    <section class="card timeline" aria-label="Runs over time">
      <div class="card-head">
        <h2>Runs</h2>
        <p class="quiet">
          {all.length === 0
            ? 'None yet.'
            : all.length > runs.length
              ? `The last ${runs.length} of ${all.length}.`
              : `${all.length} so far.`}
        </p>
        <ul class="legend">
          {(['queued', 'executing', 'backoff', 'stopping'] as const).map((is) => (
            <li key={is}>
              <span class={`swatch span-${is}`} aria-hidden="true" /> {WORDS[is]}
            </li>
          ))}
        </ul>
      </div>
      {runs.length > 0 && (
        <div class="timeline-grid">
          <ol class="timeline-names" aria-hidden="true">
            {runs.map((run) => (
              <li key={run.id}>
                <b>{run.n}</b> {agentName(run.agentId)}
                {run.attempt > 0 && <span class="quiet"> retry {run.attempt}</span>}
              </li>
            ))}
          </ol>
          <div class="timeline-plot" ref={plot}>
            <div class="ticks" aria-hidden="true">
              {ticksOf(begin, finish, Math.max(1, Math.floor(width.value / TICK_WIDTH)))
                .filter((time) => ((100 - x(time)) / 100) * width.value > LABEL_WIDTH)
                .map((time) => (
                  <span key={time} style={{ left: `${x(time)}%` }}>
                    {clockTime(time)}
                  </span>
                ))}
              {isLive && <i class="now" style={{ left: `${x(now)}%` }} />}
              {at !== null && at >= begin && at <= finish && <i class="then" style={{ left: `${x(at)}%` }} />}
            </div>
            <ol>
              {runs.map((run) => (
                <li key={run.id} style={{ height: `${ROW}px` }} aria-label={said(run, now)}>
                  {run.spans.map((span) => (
                    <Bar
                      key={`${span.is}${span.from}`}
                      span={span}
                      left={x(span.from)}
                      right={x(span.to ?? now)}
                      now={now}
                    />
                  ))}
                  {run.dueAt !== null && run.dueAt > now && issue.state === 'scheduled-retry' && (
                    <Ahead
                      at={run.dueAt}
                      isCut={run.dueAt > finish}
                      left={x(now)}
                      right={x(Math.min(run.dueAt, finish))}
                      width={width.value}
                    />
                  )}
                  {run.end !== null && (
                    <span
                      class={`end end-${run.end.is}`}
                      style={{ left: `${x(run.end.at)}%` }}
                      title={`${SIGNS[run.end.is].word}${run.end.why === null ? '' : `: ${run.end.why}`}`}
                    >
                      <Icon name={SIGNS[run.end.is].icon} size={13} />
                    </span>
                  )}
                </li>
              ))}
            </ol>
          </div>
        </div>
      )}
    </section>
  );
}

function Bar({ span, left, right, now }: { span: Span; left: number; right: number; now: number }) {
  return (
    <span
      class={`span span-${span.is}${span.to === null ? ' is-open' : ''}`}
      style={{ left: `${left}%`, width: `max(${LEAST_WIDTH}px, ${right - left}%)` }}
      title={`${WORDS[span.is]} for ${duration((span.to ?? now) - span.from)} from ${clockTime(span.from)}`}
    />
  );
}

/** The wait that is still to come, with as much of its end as there is room for. `width`: of the whole plot, px. */
function Ahead(props: { at: number; isCut: boolean; left: number; right: number; width: number }) {
  const { at, isCut, left, right } = props;
  const room = ((right - left) / 100) * props.width;
  const told = `due ${clockTime(at)}`;
  return (
    <span
      class={`span span-ahead${isCut ? ' is-cut' : ''}`}
      style={{ left: `${left}%`, width: `${right - left}%` }}
      title={told}
    >
      {room > DUE_WIDTH ? told : room > LABEL_WIDTH ? clockTime(at) : ''}
    </span>
  );
}

/** A row for those who do not see it. */
function said(run: TimelineRun, now: number): string {
  const spans = run.spans.map(({ is, from, to }) => `${WORDS[is]} for ${duration((to ?? now) - from)}`);
  const end =
    run.end === null ? '' : `, ${SIGNS[run.end.is].word}${run.end.why === null ? '' : ` (${run.end.why})`}`;
  return `Run ${run.n} of ${agentName(run.agentId)}: ${spans.join(', ')}${end}`;
}
