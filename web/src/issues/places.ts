/** Which issues are in a list, in order of their number, kept right by the changes that come. Pure. */

export interface Places {
  readonly numbers: readonly number[];
  readonly ids: readonly string[];
  /** Each one's next moment, epoch ms, or null. */
  readonly dues: readonly (number | null)[];
}

export const NOWHERE: Places = { numbers: [], ids: [], dues: [] };

/** Where `number` is, or `-1 - (where it would go)`. */
export function placeOf({ numbers }: Places, number: number): number {
  let low = 0;
  let high = numbers.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = numbers[middle] as number;
    if (found === number) return middle;
    if (found < number) low = middle + 1;
    else high = middle - 1;
  }
  return -1 - low;
}

/** The same object when nothing moves. */
export function placed(
  places: Places,
  issue: { number: number; id: string; due: number | null },
  isIn: boolean,
): Places {
  const at = placeOf(places, issue.number);
  if (isIn && at >= 0) {
    if (places.dues[at] === issue.due) return places;
    return { ...places, dues: places.dues.with(at, issue.due) };
  }
  if (isIn) {
    const to = -1 - at;
    return {
      numbers: places.numbers.toSpliced(to, 0, issue.number),
      ids: places.ids.toSpliced(to, 0, issue.id),
      dues: places.dues.toSpliced(to, 0, issue.due),
    };
  }
  if (at < 0) return places;
  return {
    numbers: places.numbers.toSpliced(at, 1),
    ids: places.ids.toSpliced(at, 1),
    dues: places.dues.toSpliced(at, 1),
  };
}

/** 7 of `ACME-7`. */
export function numberOf(identifier: string): number {
  return Number(identifier.slice(identifier.lastIndexOf('-') + 1));
}
