/** Lines of the drawing: corners rounded, a head at the end. */
import type { Point } from '../../../src/machines/drawing.ts';

const RADIUS = 7;
const HEAD = { length: 8, half: 4 };

/** The SVG path along `points`, every corner rounded as far as its shorter side allows; it ends where the head begins. */
export function line(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x} ${first.y}`;
  for (const [n, corner] of rest.entries()) {
    const before = points[n] as Point;
    const after = rest[n + 1];
    if (after === undefined) {
      const end = towards(corner, before, HEAD.length - 1);
      return `${path}L${end.x} ${end.y}`;
    }
    const radius = Math.min(RADIUS, distance(before, corner) / 2, distance(corner, after) / 2);
    const [into, out] = [towards(corner, before, radius), towards(corner, after, radius)];
    path += `L${into.x} ${into.y}Q${corner.x} ${corner.y} ${out.x} ${out.y}`;
  }
  return path;
}

/** The triangle at the end of `points`. */
export function head(points: readonly Point[]): string {
  const [before, end] = points.slice(-2);
  if (before === undefined || end === undefined) return '';
  const back = towards(end, before, HEAD.length);
  const [dx, dy] = [Math.sign(end.y - back.y) * HEAD.half, Math.sign(end.x - back.x) * HEAD.half];
  return `M${end.x} ${end.y}L${back.x + dx} ${back.y + dy}L${back.x - dx} ${back.y - dy}Z`;
}

function distance(a: Point, b: Point): number {
  return Math.abs(a.x - b.x) + Math.abs(a.y - b.y);
}

/** `by` further from `from` in the direction of `to`; lines go along the axes. */
function towards(from: Point, to: Point, by: number): Point {
  return { x: from.x + Math.sign(to.x - from.x) * by, y: from.y + Math.sign(to.y - from.y) * by };
}
