/** A log file as incidents: read as a stream (`.gz` too), grouped, each incident's rows in the order they happened. */
import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { BatonError } from '../../errors.ts';
import { CsvReader } from './csv.ts';
import { type Header, type LogRow, readHeader, readRow } from './log-row.ts';

export interface Incident {
  readonly number: string;
  /** At least one; by time, then modification count, then place in the file. */
  readonly rows: readonly LogRow[];
}

/**
 * Incidents in the order of their first row.
 * @param limit at most so many incidents, all of each
 * @throws BatonError VALIDATION naming the line when a row cannot be read, NOT_FOUND when there is no such file
 */
export async function readIncidents(path: string, limit = Number.POSITIVE_INFINITY): Promise<Incident[]> {
  const incidents = new Map<string, LogRow[]>();
  for await (const row of rowsOf(path)) {
    const rows = incidents.get(row.number);
    if (rows !== undefined) rows.push(row);
    else if (incidents.size < limit) incidents.set(row.number, [row]);
  }
  if (incidents.size === 0) {
    throw new BatonError(
      'VALIDATION',
      `${path} has no rows below its header; give it a log with at least one.`,
    );
  }
  return [...incidents].map(([number, rows]) => ({
    number,
    // Sorting is stable: rows of one minute and one count stay as the file has them.
    rows: rows.sort((a, b) => a.at - b.at || a.modCount - b.modCount),
  }));
}

async function* rowsOf(path: string): AsyncIterable<LogRow> {
  const reader = new CsvReader();
  const decoder = new TextDecoder();
  let header: Header | null = null;
  const take = function* (records: ReturnType<CsvReader['end']>): Iterable<LogRow> {
    for (const record of records) {
      if (header === null) header = readHeader(record);
      else yield readRow(header, record);
    }
  };
  try {
    for await (const bytes of bytesOf(path))
      yield* take(reader.push(decoder.decode(bytes, { stream: true })));
  } catch (error) {
    throw readable(path, error as NodeJS.ErrnoException);
  }
  yield* take(reader.push(decoder.decode()));
  yield* take(reader.end());
}

function bytesOf(path: string): AsyncIterable<Buffer> {
  const file = createReadStream(path);
  if (!path.endsWith('.gz')) return file;
  const unzipped = createGunzip();
  // pipe() does not hand errors on: without this a missing file would never end the stream.
  file.on('error', (error) => unzipped.destroy(error));
  return file.pipe(unzipped);
}

function readable(path: string, error: NodeJS.ErrnoException): Error {
  if (error instanceof BatonError) return error;
  if (error.code === 'ENOENT') {
    return new BatonError('NOT_FOUND', `There is no file ${path}; without a name the example log is played.`);
  }
  return new BatonError(
    'VALIDATION',
    `${path} cannot be read (${error.message}); it must be CSV, or CSV packed with gzip.`,
  );
}
