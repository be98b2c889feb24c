/** What the Grafana dashboard and the operating page ask Prometheus for is what `/metrics` has. */
import { expect, it } from 'vitest';
import { createMetrics } from '../src/gateway/metrics.ts';
import { start } from './gateway/support/gateway.ts';
import { textOfFile } from './support/markdown.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: { readonly expr: string; readonly legendFormat: string }[];
}

const dashboard = JSON.parse(textOfFile('docs/grafana/baton.json')) as {
  uid: string;
  schemaVersion: number;
  templating: { list: { name: string; definition?: string }[] };
  panels: Panel[];
};
const targets = dashboard.panels.flatMap(({ targets: own = [] }) => own);
const asked = [
  ...targets.map(({ expr }) => expr),
  ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
];
/** Code of the operating page that asks for a metric. */
const inPage = [...textOfFile('docs/operating.md').matchAll(/`([^`\n]*baton_[^`\n]*)`/g)].map(
  ([, expr]) => expr!,
);

/** Metric → the labels its series have, as `/metrics` shows them once everything has happened. */
async function served(): Promise<Map<string, Set<string>>> {
  const metrics = createMetrics();
  const gauges = [
    'resident',
    'residentBytes',
    'timers',
    'leases',
    'claims',
    'subscriptions',
    'quarantined',
    'backlog',
    'partitions',
  ];
  metrics.bind(() => Object.fromEntries(gauges.map((name) => [name, 1])) as never);
  metrics.answered('WAKE', 'accepted');
  metrics.committed('committed', 1, 1);
  metrics.fired(1);
  metrics.ignored('RETRY.DUE');
  metrics.quarantined('i', 'x');
  metrics.partitions(1);
  metrics.opened();
  metrics.closed(1000);
  metrics.served(200);
  const bench = await start({ metrics });
  const { text } = await bench.get('/metrics');
  const found = new Map<string, Set<string>>();
  for (const [, name, labels = ''] of text.matchAll(/^([a-z0-9_]+)(?:\{([^}]*)\})? /gm)) {
    const known = found.get(name!) ?? new Set<string>();
    for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label!);
    found.set(name!, known);
  }
  return found;
}

it('every metric and label that is asked for is there', async () => {
  const metrics = await served();
  expect(asked.length).toBeGreaterThan(25);
  expect(inPage.length).toBeGreaterThan(5);
  for (const expr of [...asked, ...inPage]) {
    const names = expr.match(/baton_[a-z0-9_]*[a-z0-9]/g) ?? [];
    expect([expr, names.length > 0]).toEqual([expr, true]);
    for (const name of names) expect([expr, name, metrics.has(name)]).toEqual([expr, name, true]);
    // Prometheus itself puts job and instance on whatever it reads.
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by]) => by!.split(/, */));
    const selected = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, by]) => by!.match(/\w+(?==)/g) ?? []);
    const labels = [...grouped, ...selected].filter((label) => label !== 'job' && label !== 'instance');
    for (const label of labels) {
      expect([expr, label, names.some((name) => metrics.get(name)?.has(label))]).toEqual([expr, label, true]);
    }
  }
});

it('every metric of ours is drawn', async () => {
  const own = [...(await served()).keys()].filter(
    (name) => !/^baton_(process|nodejs)_|_(sum|count)$/.test(name),
  );
  expect(own.filter((name) => !targets.some(({ expr }) => expr.includes(name)))).toEqual([]);
});

it('can be imported: one data source to choose, panels that do not lie upon each other', () => {
  expect(dashboard).toMatchObject({ uid: 'baton', schemaVersion: expect.any(Number) });
  expect(dashboard.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance']);
  const cells = new Set<string>();
  for (const { gridPos: at, title } of dashboard.panels) {
    expect([title, at.x + at.w <= 24]).toEqual([title, true]);
    for (let x = at.x; x < at.x + at.w; x++) {
      for (let y = at.y; y < at.y + at.h; y++) {
        expect([title, cells.has(`${x},${y}`)]).toEqual([title, false]);
        cells.add(`${x},${y}`);
      }
    }
  }
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});
