import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { issueEvents, newAgent, newIssue } from '../../src/machines/events.ts';
import { fieldWords } from '../../src/machines/field-words.ts';

/** What the schema says of the value, in our words. */
function told(schema: z.ZodType, value: unknown): string[] {
  const parsed = schema.safeParse(value);
  return (parsed.error?.issues ?? []).map((i) => `${i.path.join('.')}: ${fieldWords(i.message)}`);
}

describe('what is wrong with a field is told in words', () => {
  it.each<[z.ZodType, unknown, string[]]>([
    [newIssue, {}, ['title: is missing']],
    [newIssue, { title: '' }, ['title: must not be empty']],
    [newIssue, { title: 'x'.repeat(501) }, ['title: must have at most 500 characters']],
    [newIssue, { title: 7 }, ['title: must be text, not a number']],
    [newIssue, { title: null }, ['title: must be text, not null']],
    [newIssue, { title: 'x', wake: 'yes' }, ['wake: must be true or false, not text']],
    [
      newIssue,
      { title: 'x', priority: 'urgent' },
      ['priority: must be one of "critical", "high", "medium", "low"'],
    ],
    [newIssue, { title: 'x', titel: 1, b: 2 }, [': there is no field "titel", "b"']],
    [newIssue, 'x', [': must be an object, not text']],
    [newAgent, { name: 'x', maxConcurrentRuns: 0 }, ['maxConcurrentRuns: must be at least 1']],
    [newAgent, { name: 'x', maxConcurrentRuns: 51 }, ['maxConcurrentRuns: must be at most 50']],
    [newAgent, { name: 'x', maxConcurrentRuns: 1.5 }, ['maxConcurrentRuns: must be a whole number']],
    [newAgent, { name: 'x', retry: { delaysMs: [] } }, ['retry.delaysMs: must not be empty']],
    [
      newAgent,
      { name: 'x', adapterType: 'A b' },
      [expect.stringContaining('adapterType: a lower-case letter') as never],
    ],
    [issueEvents, { type: 'COMMENT', body: 'x'.repeat(20_000) }, ['body: at most 16384 bytes']],
    [
      issueEvents,
      { type: 'FOO' },
      [expect.stringMatching(/^type: must be one of "WAKE", "ASSIGN", /) as never],
    ],
  ])('%# of %j', (schema, value, words) => {
    expect(told(schema, value)).toEqual(words);
  });

  it('leaves alone what it does not know', () => {
    expect(fieldWords('Invalid input')).toBe('Invalid input');
    expect(fieldWords('required with runId')).toBe('required with runId');
  });
});
