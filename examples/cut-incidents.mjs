/**
 * Cuts examples/incidents.csv.gz out of the whole log: node examples/cut-incidents.mjs WHOLE.csv.gz
 * Whole incidents only; rare courses over-represented, each kind taken evenly spread over the log. No chance in it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

const [source] = process.argv.slice(2);
const [head, ...lines] = gunzipSync(readFileSync(source)).toString().trimEnd().split(/\r?\n/);
const names = head.split(',');
const place = (name) => names.indexOf(name);

const incidents = new Map();
for (const line of lines) {
  const cells = line.split(',');
  const row = { line, state: cells[place('incident_state')], agent: cells[place('assigned_to')] };
  const number = cells[place('number')];
  if (incidents.has(number)) incidents.get(number).push(row);
  else incidents.set(number, [row]);
}

const isClosed = (row) => row.state === 'Resolved' || row.state === 'Closed';
const isAwaiting = (row) => row.state.startsWith('Awaiting');
const somewhere = (rows, f) => rows.some((row, i) => i > 0 && f(rows[i - 1], row));
const kinds = [
  [10, (rows) => rows.some((row) => row.state === '-100')],
  [150, (rows) => somewhere(rows, (a, b) => isClosed(a) && !isClosed(b))],
  [250, (rows) => somewhere(rows, (a, b) => isAwaiting(a) && a.agent !== b.agent && a.agent !== '?' && b.agent !== '?')],
  [200, (rows) => rows.some(isAwaiting)],
  [200, (rows) => somewhere(rows, (a, b) => a.agent !== b.agent)],
];

const taken = new Set();
const spread = (pool, n) => {
  const rest = pool.filter((number) => !taken.has(number));
  const count = Math.min(n, rest.length);
  for (let i = 0; i < count; i++) taken.add(rest[Math.floor((i * rest.length) / count)]);
};
const all = [...incidents.keys()];
for (const [n, has] of kinds) spread(all.filter((number) => has(incidents.get(number))), n);
spread(all, 1000 - taken.size);

const kept = lines.filter((line) => taken.has(line.split(',')[place('number')]));
writeFileSync(new URL('incidents.csv.gz', import.meta.url), gzipSync(`${[head, ...kept].join('\n')}\n`, { level: 9 }));
console.log(`${taken.size} incidents, ${kept.length} rows`);
