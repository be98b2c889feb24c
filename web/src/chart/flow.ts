/** Where the rate of an arrow stands: beside its label, and on nothing that has to be read. Pure. */
import type { DrawnArrow, Layout } from '../../../src/machines/drawing.ts';

export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const HEIGHT = 16;
/** Digits are wider and a point, a slash narrower. */
const PER_CHARACTER = 6.2;
const PADDING = 5;
/** Between the rate and the words of a label, which keep some distance to the label's edge themselves. */
const GAP = 3;
/** Around what the rate must not touch. */
const CLEAR = 3;

/** Of the places around the label the first where nothing else stands; at the right where each would cover something. */
export function flowAt(layout: Layout, arrow: DrawnArrow, text: string): Area {
  const size = { width: text.length * PER_CHARACTER + 2 * PADDING, height: HEIGHT };
  const { label } = arrow;
  const [right, left] = [label.x + label.width + GAP, label.x - size.width - GAP];
  const [top, bottom] = [label.y + 1, label.y + label.height - HEIGHT];
  const centre = label.x + (label.width - size.width) / 2;
  const places = [
    { x: right, y: top },
    { x: left, y: top },
    { x: right, y: bottom },
    { x: left, y: bottom },
    { x: centre, y: label.y - HEIGHT - GAP },
    { x: centre, y: label.y + label.height + GAP },
  ].map((place) => ({ ...place, ...size }));
  const taken = [
    ...layout.nodes.filter((box) => !layout.nodes.some(({ parent }) => parent === box.id)),
    ...layout.arrows.filter(({ id }) => id !== arrow.id).map((other) => other.label),
  ];
  const isFree = (place: Area) =>
    place.x >= 0 &&
    place.y >= 0 &&
    place.x + place.width <= layout.width &&
    place.y + place.height <= layout.height &&
    !taken.some((area) => meet(place, area));
  return places.find(isFree) ?? (places[0] as Area);
}

function meet(a: Area, b: Area): boolean {
  return (
    a.x < b.x + b.width + CLEAR &&
    b.x < a.x + a.width + CLEAR &&
    a.y < b.y + b.height + CLEAR &&
    b.y < a.y + a.height + CLEAR
  );
}
