/** What is read back is what was written: the same bytes, also where the schema lists its keys in another order (P9). */
import { expect, it } from 'vitest';
import { issueKind } from '../../src/machines/issue-kind.ts';

it('keeps the order of keys of a snapshot that is read back', () => {
  const kind = issueKind();
  const context = {
    ...(kind.machine.config.context as object),
    id: 'i00000000000000',
    run: { start: 2, lease: 3000, claim: null, queued: 1, n: 1, attempt: 0, src: 'assignment', at: 1 },
  };
  const written = { value: { running: 'executing' }, context };
  expect(JSON.stringify(kind.migrate(kind.version, written))).toBe(JSON.stringify(written));
});
