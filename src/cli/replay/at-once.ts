/** Bounded concurrency: as many at once as asked, in order of the list; the first failure ends it. */
export async function atOnce<T>(
  most: number,
  items: readonly T[],
  f: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < items.length) {
      const index = next++;
      await f(items[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, lane));
}
