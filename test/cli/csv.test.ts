import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CsvReader } from '../../src/cli/replay/csv.ts';
import { readIncidents } from '../../src/cli/replay/incident-log.ts';

function read(...chunks: string[]) {
  const reader = new CsvReader();
  const records = chunks.flatMap((chunk) => reader.push(chunk));
  return [...records, ...reader.end()];
}
const fieldsOf = (...chunks: string[]) => read(...chunks).map((r) => r.fields);

describe('a CSV file', () => {
  it('may have quoted commas, doubled quotes and line ends inside quotes', () => {
    expect(fieldsOf('a,"b,c","say ""hi""","two\nlines"\n')).toEqual([['a', 'b,c', 'say "hi"', 'two\nlines']]);
  });
  it('may end its lines with CRLF, LF or nothing at the end', () => {
    expect(fieldsOf('a,b\r\nc,d\ne,f')).toEqual([
      ['a', 'b'],
      ['c', 'd'],
      ['e', 'f'],
    ]);
  });
  it('may be cut anywhere by the stream, even within CRLF and between two quotes', () => {
    expect(fieldsOf('a,"x', '"', '"y"\r', '\nb', ',c\r\n')).toEqual([
      ['a', 'x"y'],
      ['b', 'c'],
    ]);
  });
  it('may begin with a byte order mark and have blank lines', () => {
    expect(fieldsOf('\ufeffnumber,b\n\n1,2\n\n')).toEqual([
      ['number', 'b'],
      ['1', '2'],
    ]);
  });
  it('keeps empty fields', () => {
    expect(fieldsOf(',\n"",x\n')).toEqual([
      ['', ''],
      ['', 'x'],
    ]);
  });
  it('says on which line each record begins, lines within quotes counted', () => {
    expect(read('a,"1\n2"\nb,c\n\nd,e\n').map((r) => r.line)).toEqual([1, 3, 5]);
  });
  it('with a quote that is never closed is refused, naming the line', () => {
    expect(() => read('a,b\nc,"d\ne,f\n')).toThrow(/Line 2: .*never closed/);
  });
  it('with text after a closing quote is refused', () => {
    expect(() => read('"a"b\n')).toThrow(/Line 1/);
  });
});

const HEAD =
  'number,incident_state,assigned_to,assignment_group,priority,reassignment_count,reopen_count,sys_mod_count,sys_updated_at';

function file(content: string, name = 'log.csv'): string {
  const path = join(mkdtempSync(join(tmpdir(), 'baton-csv-')), name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content);
  return path;
}

describe('an event log', () => {
  it('is grouped into incidents, their rows by time, then count, then place in the file', async () => {
    const incidents = await readIncidents(
      file(
        `${HEAD}\nA,Active,R 1,G,3 - Moderate,0,0,2,2016-02-29T10:00:00Z\nB,New,?,G,1 - Critical,0,0,0,2016-02-29T09:00:00Z\n` +
          'A,New,?,?,3 - Moderate,0,0,1,2016-02-29T10:00:00Z\nA,Closed,R 1,G,3 - Moderate,0,0,2,2016-02-29T10:00:00Z\n',
        'log.csv.gz',
      ),
    );
    expect(incidents.map((i) => i.number)).toEqual(['A', 'B']);
    expect(incidents[0]?.rows.map((r) => r.state)).toEqual(['New', 'Active', 'Closed']);
    expect(incidents[0]?.rows[0]).toMatchObject({ assignee: null, group: null, line: 4, priority: 'medium' });
  });

  it('may be the original of UCI: other columns, other order, day first', async () => {
    const [incident] = await readIncidents(
      file(
        'number,incident_state,active,reassignment_count,reopen_count,sys_mod_count,made_sla,caller_id,opened_at,sys_updated_at,priority,assignment_group,assigned_to\n' +
          'INC1,Awaiting User Info,true,0,0,4,true,Caller 2403,29/2/2016 01:16,29/2/2016 01:23,2 - High,Group 56,Resolver 9\n',
      ),
    );
    expect(incident?.rows[0]).toMatchObject({
      phase: 'awaiting',
      assignee: 'Resolver 9',
      priority: 'high',
      at: Date.UTC(2016, 1, 29, 1, 23),
    });
  });

  it('can be cut short to whole incidents', async () => {
    const row = (n: string) => `${n},New,?,?,3 - Moderate,0,0,0,2016-02-29T10:00:00Z`;
    const path = file(`${[HEAD, row('A'), row('B'), row('A'), row('C')].join('\n')}\n`);
    const incidents = await readIncidents(path, 2);
    expect(incidents.map((i) => [i.number, i.rows.length])).toEqual([
      ['A', 2],
      ['B', 1],
    ]);
  });

  it.each([
    ['A,Sleeping,?,?,3 - Moderate,0,0,0,2016-02-29T10:00:00Z', /Line 2: incident_state is "Sleeping"/],
    ['A,New,?,?,9 - Odd,0,0,0,2016-02-29T10:00:00Z', /Line 2: priority is "9 - Odd"/],
    ['A,New,?,?,3 - Moderate,0,0,x,2016-02-29T10:00:00Z', /Line 2: sys_mod_count/],
    [
      'A,New,?,?,3 - Moderate,0,0,0,31/2/2016 10:00',
      /Line 2: sys_updated_at is "31\/2\/2016 10:00"; write it as/,
    ],
    ['A,New,?,?,3 - Moderate', /Line 2: it has 5 columns and the header 9/],
    [',New,?,?,3 - Moderate,0,0,0,2016-02-29T10:00:00Z', /Line 2: number is empty/],
  ])('with the row %s is refused, naming line, column and remedy', async (row, message) => {
    await expect(readIncidents(file(`${HEAD}\n${row}\n`))).rejects.toThrow(message);
  });

  it('without a needed column, without rows, or that is not there is refused', async () => {
    await expect(readIncidents(file('number,priority\n'))).rejects.toThrow(/incident_state, assigned_to/);
    await expect(readIncidents(file(`${HEAD}\n`))).rejects.toThrow(/has no rows/);
    await expect(readIncidents('/no/such/log.csv')).rejects.toThrow(/There is no file/);
    await expect(readIncidents('/no/such/log.csv.gz')).rejects.toThrow(/There is no file/);
    const broken = join(mkdtempSync(join(tmpdir(), 'baton-csv-')), 'log.csv.gz');
    writeFileSync(broken, 'not packed');
    await expect(readIncidents(broken)).rejects.toThrow(/cannot be read/);
  });
});
