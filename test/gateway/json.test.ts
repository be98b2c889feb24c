/** The scan before the parser: what it refuses, and that it never changes what is let through. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/gateway/json.ts';

describe('a scanned text', () => {
  it('gives what JSON.parse gives, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const parsed = parseJson(text);
        if (parsed.is === 'value')
          expect(JSON.stringify(parsed.value)).toBe(JSON.stringify(JSON.parse(text)));
        else expect(text).toMatch(/\\u0000|\\ud|__proto__|constructor|prototype|e\+|\d{16}/);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0dx1-eE.+ \n') }), (text) => {
        const { is } = parseJson(text);
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        expect(is === 'value').toBe(isJson && is !== 'hostile');
      }),
      { numRuns: 5000 },
    );
  });

  it('may nest 32 deep and hold 1,000 keys, not one more', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    const keys = (count: number) => `{${Array.from({ length: count }, (_, n) => `"${n}":0`).join(',')}}`;
    expect(parseJson(nested(32)).is).toBe('value');
    expect(parseJson(nested(33))).toMatchObject({ is: 'hostile', message: 'nested deeper than 32' });
    expect(parseJson(keys(1000)).is).toBe('value');
    expect(parseJson(keys(1001)).is).toBe('hostile');
  });

  it('is not taken in by brackets, colons and quotes inside strings', () => {
    const text = JSON.stringify({ a: '[[{"x\\":'.repeat(100), 'b\\"c': '\\', d: '"' });
    expect(parseJson(text)).toEqual({ is: 'value', value: JSON.parse(text) });
  });

  it('with a poisoned key is refused, however the key is written, and a value of that name is not', () => {
    for (const text of ['{"__proto__":1}', '{"a":[{"constructor" : 1}]}', '{"\\u005f_proto__":1}']) {
      expect(parseJson(text).is, text).toBe('hostile');
    }
    expect(parseJson('{"name":"constructor"}').is).toBe('value');
  });

  it('with a lone surrogate or NUL, raw or escaped, is refused with its path', () => {
    expect(parseJson('{"a":{"b":["\\udc00x"]}}')).toMatchObject({ is: 'hostile', path: 'a.b.0' });
    expect(parseJson(`{"a":"${'\ud800'}"}`)).toMatchObject({ is: 'hostile', path: 'a' });
    expect(parseJson('{"a":"\\ud83d\\ude00"}').is).toBe('value');
    expect(parseJson('{"a\\u0000":1}').is).toBe('hostile');
  });

  it('takes safe integers and fractions and no other numbers', () => {
    for (const text of ['9007199254740991', '-0.5', '1e3', '[0.1,1E-7]'])
      expect(parseJson(text).is, text).toBe('value');
    for (const text of ['9007199254740992', '1e400', '-1e21', '{"a":123456789012345678}']) {
      expect(parseJson(text).is, text).toBe('hostile');
    }
  });
});
