/**
 * Points in time within sentences. The server writes them as ISO 8601 in UTC, so that a sentence says the same to
 * everybody; people read the time where they are, and find the other in the title. Pure.
 */
import { clockTime, dateTime } from './duration.ts';

/** Words, or a point in time: epoch ms, and what stood there. */
export type Piece = string | { readonly at: number; readonly iso: string };

const ISO = /(?<![\w-])\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)(?!\w)/g;

/** A sentence in pieces, in order; what only looks like a time is words. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: iso, index } of text.matchAll(ISO)) {
    const at = Date.parse(iso);
    if (Number.isNaN(at)) continue;
    if (index > end) pieces.push(text.slice(end, index));
    pieces.push({ at, iso });
    end = index + iso.length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/** A time where the viewer is: of today the time alone. */
export function momentText(at: number, now: number): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clockTime(at) : dateTime(at);
}

/** The same sentence where there can be nothing but text, as in a title. */
export function inLocalTime(text: string, now: number): string {
  return piecesOf(text)
    .map((piece) => (typeof piece === 'string' ? piece : momentText(piece.at, now)))
    .join('');
}
