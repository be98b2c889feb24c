/** The encoding of a batch: whatever a text holds, it comes out of the database's split as it went in. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encode } from '../../src/persistence/commit.ts';
import type { ActorRow } from '../../src/persistence/store.ts';
import { batch, entry, record, row } from '../contract/rows.ts';

const SNAPSHOT = 18;
const HEAD = 19;
const HOLDS = 13;
const RANK = 14;

function encoded(rows: readonly ActorRow[]): string[] {
  const result = encode(batch('n1', new Map([[10, 7]]), { rows, entries: [entry(1)], records: [record(1)] }));
  if (result.is !== 'encoded') throw new Error(result.is);
  return result.values;
}

/** What PostgreSQL's string_to_array and the join leave of a column: the element after the last end meets no row. */
function decoded(value: string | undefined): (string | null)[] {
  const parts = value === '' ? [] : value!.split('\x1e');
  return parts.slice(0, -1).map((part) => (part === '\x1f' ? null : part));
}

describe('encode', () => {
  it('gives one value a parameter of the statement, the fence first', () => {
    const values = encoded([row(1)]);
    expect(values.length).toBe(36);
    expect(values.slice(0, 3)).toEqual(['n1', '{10}', '{7}']);
  });

  it('writes numbers, nulls and booleans as array literals', () => {
    const values = encoded([row(1, { holds: true, rank: 1_700_000_000_000 }), row(2)]);
    expect([values[HOLDS], values[RANK]]).toEqual(['{1,0}', '{1700000000000,null}']);
  });

  it.each([
    ['one empty text', ['']],
    ['several empty texts', ['', '', '']],
    ['nothing', []],
    ['quotes, backslashes, braces, commas', ['"', '\\', '{a,b}', "'", 'NULL', '\\N']],
    ['all of Unicode', ['żółć', '漢字', '👩‍👩‍👧', '\u2028', '\uffff']],
    ['the white space of JSON', [' \t\r\n']],
  ])('keeps %s apart', (_, texts) => {
    const values = encoded(texts.map((snapshot, n) => row(n + 1, { snapshot })));
    expect(decoded(values[SNAPSHOT])).toEqual(texts);
  });

  it('keeps any texts and nulls apart', () => {
    const texts = fc.array(fc.option(fc.jsonValue().map((value) => JSON.stringify(value))), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(texts, (heads) => {
        expect(decoded(encoded(heads.map((head, n) => row(n + 1, { head })))[HEAD])).toEqual(heads);
      }),
    );
  });

  it.each([
    ['the character that ends a text', 'snapshot', { snapshot: 'a\x1eb' }],
    ['the character that stands for null', 'head', { head: '\x1f' }],
    ['an id with a control character', 'id', { id: 'i00a\x1e' }],
  ])('refuses %s', (_, column, some) => {
    expect(encode(batch('n1', new Map(), { rows: [row(1), row(2, some)] }))).toEqual({
      is: 'unstorable',
      column,
    });
  });

  it('encodes an empty batch', () => {
    const result = encode(batch('n1', new Map(), {}));
    expect(result.is === 'encoded' && result.values.slice(1, 5)).toEqual(['{}', '{}', '{}', '']);
  });
});
