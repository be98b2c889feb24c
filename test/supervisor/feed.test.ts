import { describe, expect, it } from 'vitest';
import { Feed, FeedMemory } from '../../src/supervisor/feed.ts';
import type { Published } from '../../src/supervisor/router.ts';

const entry = (seq: number, at = 1_700_000_000_000) =>
  ({ seq, at, actorId: 'a', watchers: [] }) as unknown as Published;
/** A feed somebody listens to. */
function heard(memory = new FeedMemory()): Feed {
  const feed = new Feed(0, memory);
  feed.listen({ all: true }, { take: () => {}, over: () => {} });
  return feed;
}

describe('a feed', () => {
  it('keeps the last entries and says when it does not reach back far enough', () => {
    const feed = heard();
    for (let seq = 1; seq <= 5000; seq++) feed.publish(entry(seq));
    expect(feed.since(4990)?.map((p) => p.seq)).toEqual([
      4991, 4992, 4993, 4994, 4995, 4996, 4997, 4998, 4999, 5000,
    ]);
    expect(feed.since(5000)).toEqual([]);
    expect(feed.since(10)).toBeNull();
  });

  it('keeps nothing where nobody listens, and never what has a gap', () => {
    const feed = new Feed(0, new FeedMemory());
    const t0 = 1_700_000_000_000;
    feed.publish(entry(1, t0));
    expect(feed.since(0)).toBeNull();
    const unlisten = feed.listen({ actor: 'b' }, { take: () => {}, over: () => {} });
    feed.publish(entry(2, t0));
    unlisten();
    feed.publish(entry(3, t0 + 59_999));
    expect(feed.since(1)?.map((p) => p.seq)).toEqual([2, 3]);
    feed.publish(entry(4, t0 + 60_000));
    expect(feed.since(3)).toBeNull();
    expect(feed.kept).toBe(0);
  });

  it('shares one bound with the feeds of all other companies', () => {
    const memory = new FeedMemory();
    new Feed(0, memory);
    const feeds = Array.from({ length: 50 }, () => heard(memory));
    for (let seq = 1; seq <= 2000; seq++) for (const feed of feeds) feed.publish(entry(seq));
    expect(feeds.reduce((sum, feed) => sum + feed.kept, 0)).toBeLessThanOrEqual(30_000);
    for (const feed of feeds) expect(feed.since(1990)?.length ?? 10).toBe(10);
  });

  it('goes on when a listener fails, and tells that one that it is over', () => {
    const feed = new Feed(0, new FeedMemory());
    const heard: string[] = [];
    feed.listen(
      { all: true },
      {
        take: () => {
          throw new Error('a defect');
        },
        over: () => heard.push('over'),
      },
    );
    feed.listen({ all: true }, { take: (p) => heard.push(`seq ${p.seq}`), over: () => {} });
    feed.publish(entry(1));
    expect(heard).toEqual(['over', 'seq 1']);
  });
});
