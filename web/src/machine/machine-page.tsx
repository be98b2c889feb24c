/**
 * The issue machine as a heat map: how many issues are in each of its states, and how often each arrow is taken, pushed by
 * the server once a second; and the machine itself, to take away.
 */
import type { DrawnArrow, Layout } from '../../../src/machines/drawing.ts';
import { Chart } from '../chart/chart.tsx';
import { wayOf } from '../chart/drawing.ts';
import { useDrawing } from '../chart/use-drawing.tsx';
import { count } from '../duration.ts';
import { addressOf } from '../location.ts';
import type { PageProps } from '../pages.ts';
import { stats } from '../shell/status-line.tsx';
import { SHOWN, type Shown, State } from '../ui/state.tsx';
import { Exports } from './exports.tsx';
import './machine.css';

/** Events per second of each arrow, and of events that stayed in their state. */
export function ratesOf(
  layout: Layout,
  transitions: readonly { type: string; from: string | null; to: string; perSecond: number }[],
): { arrows: Map<string, number>; stayed: Map<string, number> } {
  const arrows = new Map<string, number>();
  const stayed = new Map<string, number>();
  const add = (to: Map<string, number>, key: string, n: number) => to.set(key, (to.get(key) ?? 0) + n);
  for (const transition of transitions) {
    const way = wayOf(layout, transition);
    if (way === undefined || way.arrows.length === 0) add(stayed, transition.to, transition.perSecond);
    else for (const arrow of way.arrows) add(arrows, arrow, transition.perSecond);
  }
  return { arrows, stayed };
}

export function MachinePage(_props: PageProps) {
  const { layout, instead } = useDrawing();
  const { byState = {}, bySubstate = {}, transitions = [], eventsPerSecond = 0 } = stats.value ?? {};
  const counts: Readonly<Record<string, number>> = { ...byState, ...bySubstate };
  const most = Math.max(
    1,
    ...(Object.keys(SHOWN) as Shown[]).map((shown) => counts[SHOWN[shown].filter] ?? 0),
  );
  const rates = layout.value === null ? null : ratesOf(layout.value, transitions);
  const fastest = Math.max(0.1, ...(rates?.arrows.values() ?? []));
  const inPerSecond = (state: string) => {
    let sum = rates?.stayed.get(state) ?? 0;
    for (const { to, from, perSecond } of transitions) if (to === state && from !== to) sum += perSecond;
    return sum;
  };
  return (
    <div class="page machine">
      <div class="machine-head">
        <h1>Machine</h1>
        <p class="quiet">
          {count(Object.values(byState).reduce((sum, n) => sum + n, 0))} issues, {rate(eventsPerSecond)}{' '}
          events a second over the last ten.
        </p>
        <Exports />
      </div>
      <section class="card chart-card" aria-label="Heat map">
        {layout.value === null ? (
          instead
        ) : (
          <Chart
            layout={layout.value}
            label="Issue machine, live counts and rates"
            heat={(state) => {
              const n = counts[state] ?? 0;
              // Hundreds in one state should not make a few in another invisible.
              return { text: count(n), warmth: n === 0 ? 0 : Math.log1p(n) / Math.log1p(most) };
            }}
            flow={(arrow: DrawnArrow) => {
              const perSecond = rates?.arrows.get(arrow.id) ?? 0;
              return perSecond === 0
                ? null
                : { text: `${shortRate(perSecond)}/s`, warmth: Math.sqrt(perSecond / fastest) };
            }}
          />
        )}
      </section>
      <table class="machine-table">
        <caption class="visually-hidden">Issues and events per second by state</caption>
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col" class="n">
              Issues
            </th>
            <th scope="col" class="n">
              Events in, a second
            </th>
          </tr>
        </thead>
        <tbody>
          {(Object.keys(SHOWN) as Shown[]).map((shown) => {
            const { filter } = SHOWN[shown];
            return (
              <tr key={shown} data-state={filter}>
                <td>
                  <a href={addressOf('/', { state: filter })}>
                    <State of={shown} />
                  </a>
                </td>
                <td class="n">{count(counts[filter] ?? 0)}</td>
                <td class="n">{rate(inPerSecond(filter))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p>
        <a href={addressOf('/inspect')}>Watch single issues as they move</a>
      </p>
    </div>
  );
}

/** `0`, `0.4`, `12`. */
function rate(perSecond: number): string {
  return perSecond >= 10 ? count(Math.round(perSecond)) : String(Math.round(perSecond * 10) / 10);
}

/** The same where there is little room: `1.2k`. */
function shortRate(perSecond: number): string {
  return perSecond >= 1000 ? `${rate(Math.round(perSecond / 100) / 10)}k` : rate(perSecond);
}
