/** Three small charts: events a second, how long commits take, and the retries that come due within the hour. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { useReading } from '../agents/roster.ts';
import { every, tick } from '../clock.ts';
import { count } from '../duration.ts';
import { IssueList } from '../issues/issue-list.ts';
import { client, company, readText, session } from '../session.ts';
import { rates } from '../shell/status-line.tsx';
import { theme } from '../theme.ts';
import { histogramOf, perMinute, quantileMs } from './metrics.ts';

const HEIGHT = 108;
const SCRAPE_MS = 2000;
const KEPT = 150;
const SHOWN_SECONDS = 300;
const MINUTES = 60;

export function Charts() {
  return (
    <>
      <Rate />
      <Commits />
      <Dues />
    </>
  );
}

interface PlotProps {
  title: string;
  /** What the newest value is, in words: also for whoever does not see the drawing. */
  now: string;
  data: uPlot.AlignedData;
  series: readonly { label: string; stroke: string; fill?: string; bars?: boolean }[];
  /** The axis from its left to its right end, and how a place on it is written. */
  from: number;
  to: number;
  x(value: number): string;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function Plot({ title, now, data, series, from, to, x }: PlotProps) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const width = useSignal(0);
  useEffect(() => {
    const element = root.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      width.value = element.clientWidth;
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const isSized = width.value > 0;
  useEffect(() => {
    const element = root.current;
    if (element === null || !isSized) return;
    const axis = {
      stroke: colour('quiet'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
      font: '11px Inter, sans-serif',
    };
    const made = new uPlot(
      {
        width: width.peek(),
        height: HEIGHT,
        legend: { show: false },
        cursor: { show: false },
        padding: [8, 16, 0, 0],
        scales: {
          x: { time: false, range: [from, to] },
          y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.15)] },
        },
        axes: [
          { ...axis, size: 22, space: 70, grid: { show: false }, values: (_plot, splits) => splits.map(x) },
          { ...axis, size: 38, space: 30 },
        ],
        series: [
          {},
          ...series.map(({ label, stroke, fill, bars }) => ({
            label,
            stroke: colour(stroke),
            ...(fill === undefined ? {} : { fill: colour(fill) }),
            width: 1.5,
            points: { show: false },
            ...(bars === true
              ? { paths: uPlot.paths.bars?.({ size: [0.7] }) as uPlot.Series.PathBuilder }
              : {}),
          })),
        ],
      },
      data,
      element,
    );
    plot.current = made;
    return () => {
      made.destroy();
      plot.current = null;
    };
    // Colours are taken from the theme when the plot is made.
  }, [theme.value, isSized]);
  useEffect(() => plot.current?.setData(data), [data]);
  useEffect(() => {
    if (width.value > 0) plot.current?.setSize({ width: width.value, height: HEIGHT });
  }, [width.value]);
  return (
    <figure class="card chart">
      <figcaption>
        <span>{title}</span> <strong>{now}</strong>
      </figcaption>
      <div ref={root} class="plot" role="img" aria-label={`${title}: ${now}`} />
    </figure>
  );
}

const secondsAgo = (value: number) => (value === 0 ? 'now' : `−${-value} s`);

function Rate() {
  const { value: all } = rates;
  const at = all.map((_rate, i) => i - all.length + 1);
  const last = all.at(-1);
  return (
    <Plot
      title="Events per second"
      now={last === undefined ? '–' : count(Math.round(last))}
      data={[at, [...all]]}
      series={[{ label: 'events', stroke: 'accent', fill: 'chosen' }]}
      from={1 - SHOWN_SECONDS}
      to={0}
      x={secondsAgo}
    />
  );
}

/** Milliseconds, oldest first; null where nothing was committed in between. */
const commits = signal<{ p50: (number | null)[]; p99: (number | null)[] }>({ p50: [], p99: [] });

function Commits() {
  // They are of the whole server: a key of one company may not see them.
  const mayRead = session.value.principal?.companyId === null;
  return mayRead ? <CommitsRead /> : null;
}

function CommitsRead() {
  const before = useRef<ReturnType<typeof histogramOf>>(null);
  useReading(SCRAPE_MS, async () => {
    const after = histogramOf(await readText('/metrics'), 'baton_commit_seconds');
    if (after !== null && before.current !== null) {
      const { p50, p99 } = commits.peek();
      const from = before.current;
      commits.value = {
        p50: [...p50.slice(1 - KEPT), quantileMs(from, after, 0.5)],
        p99: [...p99.slice(1 - KEPT), quantileMs(from, after, 0.99)],
      };
    }
    before.current = after;
  });
  const { p50, p99 } = commits.value;
  const at = p50.map((_value, i) => (i - p50.length + 1) * (SCRAPE_MS / 1000));
  const text = (values: readonly (number | null)[]) => {
    const last = values.findLast((value) => value !== null);
    return last == null ? '–' : `${last < 10 ? last.toFixed(1) : Math.round(last)} ms`;
  };
  return (
    <Plot
      title="Commit, p50 and p99"
      now={`${text(p50)} · ${text(p99)}`}
      data={[at, p50, p99]}
      series={[
        { label: 'p50', stroke: 'running' },
        { label: 'p99', stroke: 'stopping' },
      ]}
      from={(1 - KEPT) * (SCRAPE_MS / 1000)}
      to={0}
      x={secondsAgo}
    />
  );
}

function Dues() {
  const bins = useSignal<number[]>([]);
  useEffect(() => {
    const { value: from } = client;
    const { value: of } = company;
    if (from === null || of === null) return;
    const waiting = { state: ['scheduled-retry'], assignee: null, priority: [], minAttempt: null, q: '' };
    const list = new IssueList(from, of, waiting);
    const draw = () => {
      const next = perMinute(list.held.peek().places.dues, tick.peek(), MINUTES);
      if (next.some((n, i) => n !== bins.peek()[i])) bins.value = next;
    };
    // When one comes, goes or moves, and because each moves nearer.
    const stops = [every(1000, draw), list.held.subscribe(draw)];
    return () => {
      for (const stop of stops) stop();
      list.close();
    };
  }, [client.value, company.value]);
  const { value: now } = bins;
  const sum = now.reduce((all, n) => all + n, 0);
  return (
    <Plot
      title="Retries due within the hour"
      now={count(sum)}
      data={[now.map((_n, i) => i), now.map((n) => (n === 0 ? null : n))]}
      series={[{ label: 'retries', stroke: 'retrying', fill: 'retrying', bars: true }]}
      from={-0.5}
      to={MINUTES - 0.5}
      x={(value) => (value === 0 ? 'now' : `${value} min`)}
    />
  );
}
