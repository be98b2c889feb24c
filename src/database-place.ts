/**
 * Where the embedded database of a data directory lies: in it, as `postgres`; or, where the user who runs it cannot enter
 * that, in the directory which the data directory's `postgres.location` names. A backup needs both then.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export interface DatabasePlace {
  readonly path: string;
  /** The file that names it; null: it lies in the data directory. */
  readonly note: string | null;
}

/** The file of a data directory that names where its database lies. */
export function noteOf(dataDir: string): string {
  return join(resolve(dataDir), 'postgres.location');
}

/** Where it would lie if nothing is in the way. */
export function usualPlace(dataDir: string): string {
  return join(resolve(dataDir), 'postgres');
}

/** Reads the data directory, which need not exist. */
export function databasePlace(dataDir: string): DatabasePlace {
  const note = noteOf(dataDir);
  let noted = '';
  try {
    noted = readFileSync(note, 'utf8').trim();
  } catch {
    // none is there, or it is not for us to read
  }
  return noted === '' ? { path: usualPlace(dataDir), note: null } : { path: noted, note };
}
