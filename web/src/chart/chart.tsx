/**
 * The statechart. Where things are was worked out by the server; here they are drawn: states with what is inside them,
 * arrows with the events that take them, the state that holds marked – to the eye by colour, frame and a sign, to
 * assistive technology by the one `aria-current` – and the last arrow that was taken.
 */
import type { ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Box, DrawnArrow, Layout } from '../../../src/machines/drawing.ts';
import { Icon } from '../ui/icon.tsx';
import { SHOWN, type Shown } from '../ui/state.tsx';
import './chart.css';
import { type Area, flowAt } from './flow.ts';
import { head, line } from './path.ts';

export interface ChartProps {
  layout: Layout;
  /** What it is a chart of, for those who do not see it. */
  label: string;
  /** The state that holds, dotted; null: none is marked (a chart of many issues). */
  active?: string | null;
  /** What is said in the state that holds: since when, until when. A signal, so that its seconds redraw nothing else. */
  note?: ReadonlySignal<string | null>;
  /** The arrows of the last change, and its event. */
  took?: { arrows: readonly string[]; event: string } | null;
  /** A second line in a state, and how warm it is, 0..1. */
  heat?: (state: string) => { text: string; warmth: number };
  /** The same of an arrow: beside its label. */
  flow?: (arrow: DrawnArrow) => { text: string; warmth: number } | null;
}

const BY_LEAF = new Map((Object.keys(SHOWN) as Shown[]).map((shown) => [SHOWN[shown].filter, shown]));
const LINE_HEIGHT = 15;

export function Chart(props: ChartProps) {
  const { layout, label, active = null } = props;
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = layout.nodes.find(({ name }) => name === active);
    if (scroller.current !== null && box !== undefined) showBox(scroller.current, layout, box);
  }, [layout, active]);
  const top = layout.nodes.filter(({ parent }) => parent === null);
  return (
    <div
      class="statechart"
      ref={scroller}
      tabIndex={0}
      role="region"
      aria-label={`${label}: the drawing, scrollable`}
    >
      <svg
        viewBox={`0 0 ${layout.width} ${layout.height}`}
        role="group"
        aria-label={label}
        class={props.heat === undefined ? undefined : 'is-heat'}
      >
        <g aria-hidden="true">
          {layout.nodes
            .filter((box) => hasInside(layout, box))
            .map((box) => (
              <Compound key={box.id} box={box} holds={active?.startsWith(`${box.name}.`) ?? false} />
            ))}
          <Beginnings layout={layout} />
          {layout.arrows.map((arrow) => (
            <Line key={arrow.id} arrow={arrow} {...props} />
          ))}
        </g>
        <g role="list" aria-label="States">
          {top.map((box) => (
            <State key={box.id} box={box} {...props} />
          ))}
        </g>
        <g aria-hidden="true">
          {layout.arrows.map((arrow) => (
            <Label key={arrow.id} arrow={arrow} {...props} />
          ))}
        </g>
      </svg>
    </div>
  );
}

function hasInside(layout: Layout, box: Box): boolean {
  return layout.nodes.some(({ parent }) => parent === box.id);
}

function Compound({ box, holds }: { box: Box; holds: boolean }) {
  return (
    <g class={holds ? 'compound is-holding' : 'compound'}>
      <rect x={box.x} y={box.y} width={box.width} height={box.height} rx="14" />
      <text x={box.x + 16} y={box.y + 26}>
        {box.key}
      </text>
    </g>
  );
}

/** A dot and a short arrow into the state one enters first, at the top and inside states. */
function Beginnings({ layout }: { layout: Layout }) {
  const firsts = layout.nodes.filter(
    (box) => layout.nodes.find(({ parent }) => parent === box.parent) === box && !hasInside(layout, box),
  );
  return firsts.map((box) => {
    const points = [
      { x: box.x + box.width - 24, y: box.y - 22 },
      { x: box.x + box.width - 24, y: box.y },
    ];
    return (
      <g key={box.id} class="beginning">
        <circle cx={box.x + box.width - 24} cy={box.y - 24} r="4.5" />
        <path class="line" d={line(points)} />
        <path class="head" d={head(points)} />
      </g>
    );
  });
}

function State({ box, ...props }: { box: Box } & ChartProps) {
  const { layout, active = null, note, heat } = props;
  const inside = layout.nodes.filter(({ parent }) => parent === box.id);
  const says = heat?.(box.name);
  if (inside.length > 0) {
    return (
      <g role="listitem" aria-label={[box.key, says?.text].filter(Boolean).join(', ')}>
        <g role="list" aria-label={`Inside ${box.key}`}>
          {inside.map((child) => (
            <State key={child.id} box={child} {...props} />
          ))}
        </g>
      </g>
    );
  }
  const isActive = box.name === active;
  const shown = BY_LEAF.get(box.name) ?? 'idle';
  const second = says?.text ?? (isActive ? note?.value : null);
  return (
    <g
      role="listitem"
      class={`leaf leaf-${shown}${isActive ? ' is-active' : ''}${says && says.warmth > 0 ? ' is-warm' : ''}`}
      aria-label={[box.key, second, isActive ? 'the state it is in' : null].filter(Boolean).join(', ')}
      aria-current={isActive ? 'true' : undefined}
      style={says ? { '--warmth': says.warmth } : {}}
    >
      {box.description !== null && <title>{box.description}</title>}
      {isActive && (
        <rect
          class="halo"
          x={box.x - 5}
          y={box.y - 5}
          width={box.width + 10}
          height={box.height + 10}
          rx="15"
        />
      )}
      <rect class="body" x={box.x} y={box.y} width={box.width} height={box.height} rx="10" />
      <svg x={box.x + 12} y={box.y + (second ? 9 : 17)} width="16" height="16" viewBox="0 0 16 16">
        <Icon name={SHOWN[shown].icon} />
      </svg>
      <text class="name" x={box.x + 35} y={box.y + (second ? 22 : 30)}>
        {box.key}
      </text>
      {second && (
        <text class="second" x={box.x + 35} y={box.y + 39}>
          {second}
        </text>
      )}
    </g>
  );
}

function Line({ arrow, took, active, flow, layout }: { arrow: DrawnArrow } & ChartProps) {
  const isLast = took?.arrows.includes(arrow.id) ?? false;
  const warm = flow?.(arrow) ?? null;
  return (
    <g
      class={`arrow${isLast ? ' is-last' : ''}${leadsFrom(layout, arrow, active) ? ' is-open' : ''}${warm ? ' is-warm' : ''}`}
      data-arrow={arrow.id}
      data-last={isLast ? '' : undefined}
      style={warm ? { '--warmth': warm.warmth } : {}}
    >
      <path class="line" d={line(arrow.points)} />
      <path class="head" d={head(arrow.points)} />
    </g>
  );
}

function Label({ arrow, took, active, flow, layout }: { arrow: DrawnArrow } & ChartProps) {
  const { x, y, width, height, lines } = arrow.label;
  const isLast = took?.arrows.includes(arrow.id) ?? false;
  const warm = flow?.(arrow) ?? null;
  return (
    <g
      class={`label${isLast ? ' is-last' : ''}${leadsFrom(layout, arrow, active) ? ' is-open' : ''}${warm ? ' is-warm' : ''}`}
    >
      <rect x={x} y={y} width={width} height={height} rx="5" />
      {lines.map((event, n) => (
        <text
          key={event}
          x={x + 4}
          y={y + 12 + n * LINE_HEIGHT}
          class={
            isLast && (event === took?.event || (event === 'always' && lines.length === 1))
              ? 'is-taken'
              : undefined
          }
        >
          {event}
        </text>
      ))}
      {warm && <Flow at={flowAt(layout, arrow, warm.text)} text={warm.text} />}
    </g>
  );
}

function Flow({ at, text }: { at: Area; text: string }) {
  return (
    <g class="flow">
      <rect {...at} rx={at.height / 2} />
      <text x={at.x + at.width / 2} y={at.y + 12} text-anchor="middle">
        {text}
      </text>
    </g>
  );
}

/** Whether an arrow begins in the state that holds, or in one around it. */
function leadsFrom(layout: Layout, arrow: DrawnArrow, active: string | null | undefined): boolean {
  if (active === null || active === undefined) return false;
  const source = layout.nodes.find(({ id }) => id === arrow.source)?.name;
  return source !== undefined && (active === source || active.startsWith(`${source}.`));
}

/** Brings a state into what is seen of a drawing wider than the page. */
function showBox(scroller: HTMLElement, layout: Layout, box: Box): void {
  const scale = scroller.scrollWidth / layout.width;
  const left = (box.x + box.width / 2) * scale - scroller.clientWidth / 2;
  const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
  scroller.scrollTo({ left: Math.max(0, left), behavior: still ? 'auto' : 'smooth' });
}
