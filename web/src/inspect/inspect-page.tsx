/**
 * Issues as they move, with nothing from elsewhere: the stream of the inspector, drawn on the chart of the machine. A button
 * leads to the page that hands the same stream to Stately's editor.
 */
import { useComputed, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Layout } from '../../../src/machines/drawing.ts';
import { Chart } from '../chart/chart.tsx';
import { wayOf } from '../chart/drawing.ts';
import { useDrawing } from '../chart/use-drawing.tsx';
import { tick } from '../clock.ts';
import { age, clockTime } from '../duration.ts';
import { addressOf, query, setQuery } from '../location.ts';
import { Exports } from '../machine/exports.tsx';
import type { PageProps } from '../pages.ts';
import { company } from '../session.ts';
import { State, shownOf } from '../ui/state.tsx';
import './inspect.css';
import type { Inspected } from './inspected.ts';
import { type Actor, openStream, type Stream, stateName } from './stream.ts';

const LISTED = 60;
const LINES = 80;

export function InspectPage(_props: PageProps) {
  const stream = useSignal<Stream | null>(null);
  const { layout, instead } = useDrawing();
  const issue = query.value.get('issue');
  const narrowed =
    issue !== null ? `issue=${encodeURIComponent(issue)}` : `company=${company.value?.id ?? ''}`;
  useEffect(() => {
    const opened = openStream(narrowed);
    stream.value = opened;
    return () => opened.close();
  }, [narrowed]);
  if (stream.value === null || layout.value === null) return instead;
  return <Inspecting stream={stream.value} layout={layout.value} isOne={issue !== null} />;
}

function Inspecting({ stream, layout, isOne }: { stream: Stream; layout: Layout; isOne: boolean }) {
  const link = stream.link.value;
  const actors = [...stream.actors.value.values()].reverse();
  const asked = query.value.get('actor');
  const actor = actors.find(({ made }) => made.sessionId === asked) ?? actors[0] ?? null;
  const way = actor?.last ? wayOf(layout, actor.last) : undefined;
  const issue = actor?.snapshot.context ?? null;
  const where = isOne && issue !== null ? { issue: issue.id } : {};
  return (
    <div class="page inspect">
      <div class="inspect-head">
        <h1>Inspector</h1>
        <p
          class={link.is === 'refused' ? 'refusal' : 'quiet'}
          role={link.is === 'refused' ? 'alert' : 'status'}
        >
          {link.is === 'open' && (isOne ? 'One issue, live.' : `${actors.length} issues, live.`)}
          {link.is === 'connecting' && 'Connecting…'}
          {link.is === 'lost' && 'Connection lost; trying again. What is shown may be old.'}
          {link.is === 'refused' && link.why}
        </p>
        <Exports />
        <a class="button" href={addressOf('/inspect/stately', where)} target="_self">
          Open in Stately
        </a>
      </div>
      <section class="card chart-card" aria-label="Statechart">
        <div class="card-head">
          {issue === null ? (
            <h2>No issue yet</h2>
          ) : (
            <>
              <h2>
                <a href={addressOf(`/issues/${issue.id}`)}>
                  {issue.identifier} <bdi>{issue.title}</bdi>
                </a>
              </h2>
              <State of={shownOf(issue)} />
              {actor?.last && (
                <p class="quiet">
                  <code>{actor.last.type}</code> at {clockTime(actor.last.at)}
                </p>
              )}
            </>
          )}
        </div>
        <Chart
          layout={layout}
          label={issue === null ? 'Issue machine' : `Statechart of ${issue.identifier}`}
          active={actor === null ? null : stateName(actor.snapshot.value)}
          took={actor?.last && way ? { arrows: way.arrows, event: actor.last.type } : null}
        />
      </section>
      {!isOne && <Actors actors={actors} chosen={actor} />}
      <Objects tail={stream.tail.value} actors={stream.actors.value} />
    </div>
  );
}

/** Those something happened to last come first. */
function Actors({ actors, chosen }: { actors: readonly Actor[]; chosen: Actor | null }) {
  const now = useComputed(() => Math.floor(tick.value / 1000) * 1000).value;
  return (
    <section class="card actors" aria-label="Actors">
      <div class="card-head">
        <h2>Actors</h2>
        {actors.length > LISTED && <p class="quiet">the {LISTED} that moved last</p>}
      </div>
      {actors.length === 0 && <p class="empty small">No live issue.</p>}
      <ol tabIndex={0} aria-label="Actors, the last to move first">
        {actors.slice(0, LISTED).map(({ made, snapshot, last }) => (
          <li key={made.sessionId}>
            <button
              type="button"
              aria-pressed={made.sessionId === chosen?.made.sessionId}
              onClick={() => setQuery({ actor: made.sessionId }, { replace: true })}
            >
              <span class="identifier">{made.name}</span>
              <State of={shownOf(snapshot.context)} />
              <span class="title">{snapshot.context.title}</span>
              <span class="quiet">{last === null ? '' : age(now - last.at)}</span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** What came over the wire, as it came. */
function Objects({ tail, actors }: { tail: readonly Inspected[]; actors: ReadonlyMap<string, Actor> }) {
  const lines = tail.slice(-LINES).reverse();
  return (
    <section class="card objects" aria-label="Events">
      <div class="card-head">
        <h2>Events</h2>
        <p class="quiet">as they come over /inspect/ws</p>
      </div>
      {lines.length === 0 && <p class="empty small">Nothing has happened since this page was opened.</p>}
      <ol tabIndex={0} aria-label="Events, newest first">
        {lines.map((object) => (
          <li key={`${object.sessionId}${object.version}${object.type}`}>
            <time>{clockTime(Number(object.createdAt))}</time>
            <code>{object.type.replace('@xstate.', '')}</code>
            <span class="identifier">{actors.get(object.sessionId)?.made.name ?? object.sessionId}</span>
            <span class="text">
              {object.type === '@xstate.event'
                ? object.event?.type
                : object.snapshot && stateName(object.snapshot.value)}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
