/**
 * The built server with seams: places in its code where its parent can have it end (SIGKILL) or stand still (SIGSTOP).
 * What it does is what `dist/cli/main.js` does; a few methods are wrapped from outside, so nothing of this is in what
 * is shipped. Told at the start by BATON_TEST_SEAM, later by a message. It can be given a deliberate defect, too.
 */
import pg from 'pg';
import { PostgresStore } from '../../dist/persistence/postgres-store.js';
import { Feed } from '../../dist/supervisor/feed.js';

let armed = JSON.parse(process.env.BATON_TEST_SEAM ?? 'null');
process.on('message', (message) => {
  armed = message;
});
// The channel to the parent must not keep a server alive that is told to stop.
process.channel?.unref();

/** Where its parent said so, it ends or stands still here, and goes on when it is let go on. */
function seam(name) {
  if (armed?.seam !== name) return undefined;
  const signal = armed.action === 'kill' ? 'SIGKILL' : 'SIGSTOP';
  armed = null;
  return new Promise((resolve) => {
    process.send({ reached: name }, () => {
      process.kill(process.pid, signal);
      resolve();
    });
  });
}

function wrap(prototype, method, by) {
  const original = prototype[method];
  prototype[method] = function wrapped(...args) {
    return by(() => original.apply(this, args), ...args);
  };
}

wrap(PostgresStore.prototype, 'commit', async (commit, batch) => {
  if (batch.entries.some(({ entry }) => entry.includes('"type":"RETRY.DUE"')))
    await seam('timer fired before commit');
  if (batch.entries.length > 0) await seam('before commit');
  const outcome = await commit();
  if (outcome.is === 'committed' && batch.entries.length > 0)
    await seam('after commit before acknowledgement');
  return outcome;
});

wrap(PostgresStore.prototype, 'acquire', async (acquire) => {
  const owned = await acquire();
  if (owned.length > 0) await seam('after takeover before load');
  return owned;
});

wrap(pg.Pool.prototype, 'query', (query, statement) => {
  const asked = query();
  if (typeof statement !== 'string' || !statement.includes('delete from journal')) return asked;
  return asked.then(async (answer) => {
    if (answer.rowCount > 0) await seam('during retention');
    return answer;
  });
});

wrap(pg.Client.prototype, 'query', (query, statement) => {
  const asked = query();
  if (typeof statement !== 'string' || !statement.startsWith('insert into baton_migrations')) return asked;
  return asked.then(async (answer) => {
    await seam('during migration');
    return answer;
  });
});

/** Deliberate defects, which the checks of a campaign must find; BATON_TEST_DEFECT names one. */
const DEFECTS = {
  /** A subscriber that comes back is sent one entry too few. */
  'resume-off-by-one': () => wrap(Feed.prototype, 'since', (since) => since()?.slice(1) ?? null),
  /** Whoever subscribed is not told that the partition moved. */
  'subscribers-not-told-of-takeover': () => wrap(Feed.prototype, 'close', () => {}),
  /** A commit that nobody answered is taken for one that landed. */
  'unknown-is-committed': () =>
    wrap(PostgresStore.prototype, 'commit', async (commit, batch) => {
      const outcome = await commit();
      return outcome.is === 'unknown' ? { is: 'committed', proved: new Set(batch.epochs.keys()) } : outcome;
    }),
};
const defect = process.env.BATON_TEST_DEFECT;
if (defect) DEFECTS[defect]();

await import('../../dist/cli/main.js');
