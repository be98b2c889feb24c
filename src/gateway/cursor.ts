/**
 * Cursors of lists: opaque to clients, so that their inside may change. Base64url of a letter and the parts of the last
 * item's sort key. A cursor never carries a company: it only says where to go on within what the route shows anyway.
 */
import { BatonError } from '../errors.ts';

/** Puts a cursor together. `phase` tells a list that walks several sources where it was; no part may hold a NUL. */
export function cursorOf(phase: string, ...parts: readonly (string | number)[]): string {
  return Buffer.from([phase, ...parts].join('\0')).toString('base64url');
}

/**
 * Takes a cursor apart.
 * @param shapes phase → how each of its parts must look.
 * @throws BatonError VALIDATION when it is none that such a list gave out.
 */
export function readCursor(
  cursor: string,
  shapes: Readonly<Record<string, readonly RegExp[]>>,
): { phase: string; parts: string[] } {
  const [phase = '', ...parts] = Buffer.from(cursor, 'base64url').toString().split('\0');
  const shape = Object.hasOwn(shapes, phase) ? shapes[phase] : undefined;
  if (shape?.length !== parts.length || !shape.every((part, i) => part.test(parts[i] as string))) {
    throw new BatonError('VALIDATION', 'The cursor is not one that this list gave out.', {
      errors: [{ path: 'cursor', message: 'not a cursor of this list' }],
      hint: 'Begin without a cursor and follow nextCursor.',
    });
  }
  return { phase, parts };
}

/** A whole number that is safe. */
export const NUMBER = /^[0-9]{1,15}$/;
/** An id, a run's or a comment's among them. */
export const ANY_ID = /^[a-z][0-9a-f]{3}[0-9a-f]{8,40}(\.[0-9a-z]{1,12})?$/;

/** Splits what was asked for (one more than a page) into the page and whether there is more. */
export function pageOf<T>(found: readonly T[], limit: number): { page: readonly T[]; more: boolean } {
  return found.length > limit ? { page: found.slice(0, limit), more: true } : { page: found, more: false };
}

/** Where to go on in a list in order of (createdAt, id). */
export function timeCursor(cursor: string): { createdAt: number; id: string } {
  const { parts } = readCursor(cursor, { t: [NUMBER, ANY_ID] });
  return { createdAt: Number(parts[0]), id: parts[1] as string };
}

export function afterRow(row: { createdAt: number; id: string }): string {
  return cursorOf('t', row.createdAt, row.id);
}

/** Where to go on in a list of actors, which is in order of their ordinal. */
export function ordinalAfter(cursor: string | undefined): { after?: number } {
  if (cursor === undefined) return {};
  return { after: Number(readCursor(cursor, { o: [NUMBER] }).parts[0]) };
}

export function afterOrdinal(ordinal: number): string {
  return cursorOf('o', ordinal);
}
