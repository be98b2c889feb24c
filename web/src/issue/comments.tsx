/** What people and agents said. A comment is an event: it is there when the server has it, and may wake the assignee. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Change, Comment } from '../../../src/client/index.ts';
import type { IssueView } from '../../../src/machines/view.ts';
import { dateTime } from '../duration.ts';
import { client, mayOperate } from '../session.ts';
import { sendEvent } from './actions.tsx';
import { named } from './named.ts';
import type { WatchedIssue } from './watch-issue.ts';

type Said = Comment & { by?: { kind: string; id: string } };
const MOST = 200;
/** Comments that were begun, by issue: kept when one looks at something else, or the page is laid out anew. */
const begun = new Map<string, string>();

export function Comments(props: { issue: IssueView; journal: readonly Change[]; watched: WatchedIssue }) {
  const { issue, journal, watched } = props;
  const comments = useSignal<readonly Said[]>([]);
  const body = useSignal(begun.get(issue.id) ?? '');
  const write = (text: string) => {
    body.value = text;
    if (text === '') begun.delete(issue.id);
    else begun.set(issue.id, text);
  };
  const reopen = useSignal(false);
  const isSending = useSignal(false);
  // Bodies are not in the journal: that one was added is.
  const added =
    journal.findLast(({ effects }) => effects.some(({ type }) => type === 'comment.added'))?.version ?? 0;
  useEffect(() => {
    const { value: from } = client;
    if (from === null) return;
    let isOver = false;
    const read = async () => {
      const found: Said[] = [];
      for await (const comment of from.http.comments(issue.id)) {
        found.push(comment);
        if (found.length === MOST) break;
      }
      if (!isOver) comments.value = found;
    };
    read().catch(() => {
      // What is shown stays; the next comment reads again.
    });
    return () => {
      isOver = true;
    };
  }, [issue.id, added, client.value]);
  const isClosed = issue.state === 'done' || issue.state === 'cancelled';
  const send = async (event: Event) => {
    event.preventDefault();
    isSending.value = true;
    const said = {
      type: 'COMMENT',
      body: body.value,
      ...(reopen.value && isClosed ? { reopen: true } : {}),
    } as const;
    if (await sendEvent(watched, said, 'Comment', null)) {
      write('');
      reopen.value = false;
    }
    isSending.value = false;
  };
  return (
    <section class="card comments" aria-label="Comments">
      <div class="card-head">
        <h2>Comments</h2>
      </div>
      {comments.value.length === 0 ? (
        <p class="empty small">Nobody has said anything.</p>
      ) : (
        <ol>
          {comments.value.map((comment) => (
            <li key={comment.id}>
              <p class="quiet">
                {comment.by && <b>{named(comment.by.id)}</b>} {dateTime(comment.at)}
              </p>
              <p class="body">{comment.body}</p>
            </li>
          ))}
        </ol>
      )}
      {/* One put aside takes no events. */}
      {mayOperate() && issue.why.code !== 'quarantined' && (
        <form onSubmit={send}>
          <label class="visually-hidden" for="comment">
            Comment
          </label>
          <textarea
            id="comment"
            rows={2}
            maxLength={16_000}
            placeholder="Say something: the assignee is woken"
            value={body.value}
            onInput={(event) => write(event.currentTarget.value)}
          />
          <div class="row">
            <button type="submit" class="button" disabled={body.value.trim() === '' || isSending.value}>
              {isSending.value ? 'Sending…' : 'Comment'}
            </button>
            {isClosed && (
              <label class="check">
                <input
                  type="checkbox"
                  checked={reopen.value}
                  onChange={(event) => (reopen.value = event.currentTarget.checked)}
                />{' '}
                and reopen
              </label>
            )}
          </div>
        </form>
      )}
    </section>
  );
}
