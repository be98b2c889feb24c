/**
 * One issue: why it is where it is in one sentence, the machine with the state that holds, what may be done now, its runs
 * over time, and its journal, in which one can go back: then state, lock and context are shown as they were.
 */
import { computed, type ReadonlySignal, useComputed, useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Change } from '../../../src/client/index.ts';
import { isUnreadable } from '../../../src/client/put-aside.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { Chart } from '../chart/chart.tsx';
import { leafOf, wayOf } from '../chart/drawing.ts';
import { useDrawing } from '../chart/use-drawing.tsx';
import { pageClock, tick } from '../clock.ts';
import { clockTime, duration } from '../duration.ts';
import { onKeys } from '../keys.ts';
import { addressOf, query, setQuery } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { plain } from '../plain.ts';
import { client, companies, company, mayOperate } from '../session.ts';
import { None } from '../ui/none.tsx';
import { State, shownOf } from '../ui/state.tsx';
import { Told } from '../ui/told.tsx';
import { useMedia } from '../ui/use-media.ts';
import { Actions } from './actions.tsx';
import { Comments } from './comments.tsx';
import { Facts } from './facts.tsx';
import './issue.css';
import { Journal } from './journal.tsx';
import { named, sentence } from './named.ts';
import { RunLog } from './run-log.tsx';
import { Timeline } from './timeline.tsx';
import { type WatchedIssue, watchIssue } from './watch-issue.ts';

const DEAR_VERSION = 100;
const SETTLED_MS = 120;
/** Two columns, each as long as what is in it: rows of a grid would leave holes beside the longer one. */
const WIDE = '(min-width: 1560px)';

/** `params.id`: the issue's id, or its identifier within the company (`ACME-7`). */
export function IssuePage({ params }: PageProps) {
  const named = params.id ?? '';
  // Identifiers are in capitals; an address may have been typed.
  const id = named.includes('-') ? named.toUpperCase() : named;
  const watched = useSignal<WatchedIssue | null>(null);
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    const made = watchIssue(from, of.id, id);
    watched.value = made;
    return () => made.close();
  }, [id, client.value, company.value]);

  const now = watched.value?.issue.value ?? null;
  // An address may name an issue of another company than the one looked at last: names and agents are that one's.
  const home = now === null ? undefined : companies.value?.find((one) => one.id === now.companyId);
  useEffect(() => {
    // Said by the address from now on, so that its links stay with that company.
    const isOne = companies.value?.length === 1;
    if (home !== undefined && !isOne && query.peek().get('company') !== home.prefix)
      setQuery({ company: home.prefix }, { replace: true });
  }, [home]);
  const error = watched.value?.error.value ?? null;
  if (error !== null) {
    return (
      <None
        alert
        title={error.code === 'NOT_FOUND' ? <>There is no issue {id} here</> : 'The issue cannot be shown'}
      >
        <code>{error.code}</code> {error.message} {error.hint}
      </None>
    );
  }
  if (watched.value === null || now === null) return <p class="empty">Loading…</p>;
  return <Issue watched={watched.value} now={now} />;
}

function Issue({ watched, now }: { watched: WatchedIssue; now: IssueView }) {
  const { layout, instead } = useDrawing();
  const past = usePast(now);
  const isWide = useMedia(WIDE);
  const rows = watched.journal.value;
  useEffect(() => {
    document.title = plain(`${now.identifier} ${now.title} · baton`);
  }, [now.identifier, now.title]);
  useEffect(
    () =>
      onKeys('Issue', {
        '[': {
          keys: '[',
          does: 'One version back',
          run: () => goTo((past.asked ?? now.version) - 1, now.version),
        },
        ']': {
          keys: ']',
          does: 'One version on',
          run: () => goTo((past.asked ?? now.version) + 1, now.version),
        },
        Escape: { keys: 'Esc', does: 'Back to now', run: () => goTo(now.version, now.version) },
      }),
    [past.asked, now.version],
  );

  const shown = past.change?.issue ?? now;
  const note = useNote(past.change === null ? now : null);
  const isPast = past.change !== null;
  const change = past.change ?? rows.findLast((row) => row.version === now.version) ?? null;
  const way = change && layout.value ? wayOf(layout.value, change) : undefined;
  const chart = (
    <section key="chart" class="card chart-card" aria-label="Statechart">
      <div class="card-head">
        <h2>Machine</h2>
        <LastStep change={change} />
        <nav class="links" aria-label="Inspect">
          <a href={addressOf(`/inspect`, { issue: now.id })}>Inspect</a>
          <a href={addressOf('/inspect/stately', { issue: now.id })} target="_self">
            Open in Stately
          </a>
        </nav>
      </div>
      {layout.value === null ? (
        instead
      ) : (
        <Chart
          layout={layout.value}
          label={`Statechart of ${now.identifier}`}
          active={leafOf(shown)}
          note={note}
          took={change && way ? { arrows: way.arrows, event: change.type } : null}
        />
      )}
      <Travel now={now} at={past.asked ?? now.version} />
    </section>
  );
  const facts = <Facts key="facts" issue={shown} isPast={isPast} />;
  const timeline = <Timeline key="timeline" journal={rows} issue={now} at={past.change?.at ?? null} />;
  const journal = (
    <Journal
      key="journal"
      rows={rows}
      at={past.asked ?? now.version}
      choose={(v) => goTo(v, now.version)}
      earlier={watched.earlier}
    />
  );
  const log = <RunLog key="log" issue={now} journal={rows} />;
  const comments = <Comments key="comments" issue={now} journal={rows} watched={watched} />;
  return (
    <div class={`page issue${isPast ? ' is-past' : ''}${isWide ? ' is-wide' : ''}`}>
      <header class="issue-head">
        <h1>
          <span class="identifier">{now.identifier}</span> <bdi>{shown.title}</bdi>
        </h1>
        <p class="why">
          <State of={shownOf(shown)} />
          {shown.why.code === 'quarantined' && <span class="badge">quarantined</span>}
          <Told text={sentence(shown)} />
          {!isPast && <Next issue={now} />}
        </p>
        {isPast ? (
          <p class="past-note" role="status">
            Version {shown.version} of {now.version}, as it was at {clockTime(past.change?.at ?? 0)}.{' '}
            <button type="button" class="button" onClick={() => goTo(now.version, now.version)}>
              Back to now
            </button>
          </p>
        ) : (
          mayOperate() && <Actions issue={now} watched={watched} />
        )}
        {past.error !== null && (
          <p role="alert" class="past-note">
            {past.error}
          </p>
        )}
      </header>

      {isWide ? (
        <>
          <div class="column">
            {chart}
            {timeline}
            {journal}
          </div>
          <div class="column">
            {facts}
            {log}
            {comments}
          </div>
        </>
      ) : (
        [chart, facts, timeline, journal, log, comments]
      )}
    </div>
  );
}

/** The version that the address asks for: null is now. */
function usePast(now: IssueView): { asked: number | null; change: Change | null; error: string | null } {
  const asked = useComputed(() => {
    const text = query.value.get('version') ?? '';
    return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
  }).value;
  const found = useSignal<Change | null>(null);
  const error = useSignal<string | null>(null);
  const seen = useMemo(() => new Map<number, Change>(), [now.id]);
  const isNow = asked === null || asked === now.version;
  useEffect(() => {
    const { value: from } = client;
    error.value = null;
    if (isNow || from === null) {
      found.value = null;
      return;
    }
    const known = seen.get(asked);
    if (known !== undefined) {
      found.value = known;
      return;
    }
    let isOver = false;
    const read = () =>
      from.http.call<Change>('GET', `/issues/${now.id}/versions/${asked}`).then(
        (change) => {
          seen.set(asked, change);
          if (!isOver) found.value = change;
        },
        (refused: Error) => {
          if (!isOver) error.value = `Version ${asked} cannot be shown: ${refused.message}`;
        },
      );
    // A late version of a long journal is dear to the server: while the slider is drawn along, none is asked for.
    const cancel = pageClock.after(asked > DEAR_VERSION ? SETTLED_MS : 0, () => void read());
    return () => {
      isOver = true;
      cancel();
    };
  }, [asked, isNow, now.id, client.value]);
  return { asked: isNow ? null : asked, change: isNow ? null : found.value, error: error.value };
}

function goTo(version: number, newest: number): void {
  if (version < 1) return;
  setQuery({ version: version >= newest ? null : String(version) }, { replace: true });
}

/** A slider over all versions: going back and on with one hand. */
function Travel({ now, at }: { now: IssueView; at: number }) {
  return (
    <div class="travel">
      <label for="travel">Version</label>
      <input
        id="travel"
        type="range"
        min={1}
        max={Math.max(1, now.version)}
        value={at}
        disabled={now.version === 1}
        style={{ '--share': now.version === 1 ? 1 : (at - 1) / (now.version - 1) }}
        onInput={(event) => goTo(Number(event.currentTarget.value), now.version)}
        aria-valuetext={at === now.version ? `${at}, now` : `${at} of ${now.version}`}
      />
      <output for="travel">
        {at === now.version ? (
          <>
            <b>{at}</b> · now
          </>
        ) : (
          <>
            <b>{at}</b> of {now.version}
          </>
        )}
      </output>
    </div>
  );
}

function LastStep({ change }: { change: Change | null }) {
  if (change === null) return null;
  const { type, from, to, at } = change;
  return (
    <p class="last-step">
      <code>{type}</code>{' '}
      <span class="quiet">
        {from === to ? `stayed in ${to}` : `${from ?? 'born'} → ${to}`} · {clockTime(at)} · by{' '}
        {change.actor.kind === 'system' ? 'the system' : named(change.actor.id)}
      </span>
    </p>
  );
}

/**
 * When what comes next by itself comes; of a run in hand, how long its worker may be silent. That its lease ends is no
 * time at which anything is to happen: each heartbeat renews it, and the end of one that was renewed never comes.
 */
function Next({ issue }: { issue: IssueView }) {
  const isDue = issue.state === 'scheduled-retry';
  const said = useMemo(
    () => computed(() => (isDue ? dueTold(issue, tick.value) : leaseTold(issue, tick.value))),
    [issue],
  ).value;
  return said === '' ? null : <span class={isDue ? 'next' : 'quiet'}>{said}</span>;
}

function dueTold({ nextAt }: IssueView, at: number): string {
  return nextAt === null ? '' : ahead(nextAt - at);
}

function leaseTold({ substate, run }: IssueView, at: number): string {
  const left = substate === 'executing' ? (run?.leaseUntil ?? 0) - at : 0;
  // Over, as far as is known here: what comes of that the server says, or it was renewed and the connection is lost.
  return left <= 0 ? '' : `Its lease holds ${duration(left)}, renewed by heartbeats.`;
}

function useNote(issue: IssueView | null): ReadonlySignal<string | null> {
  return useMemo(() => computed(() => issue && noteOf(issue, tick.value)), [issue]);
}

function noteOf(issue: IssueView, at: number): string {
  if (isUnreadable(issue)) return '';
  if (issue.state === 'scheduled-retry' && issue.retry !== null) return ahead(issue.retry.dueAt - at);
  const isExecuting = issue.substate === 'executing';
  const since = isExecuting ? (issue.run?.startedAt ?? issue.updatedAt) : issue.updatedAt;
  return `for ${duration(at - since)}`;
}

function ahead(ms: number): string {
  return ms > 0 ? `in ${duration(ms)}` : 'due now';
}
