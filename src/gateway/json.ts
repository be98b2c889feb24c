/**
 * JSON from strangers (guarantees.md, Security, "hostile JSON"). One linear scan over the text comes before `JSON.parse`,
 * zod and stringify see it, because a 10 KB nest of `[` makes the latter two throw. What the scan alone cannot place –
 * a NUL written as an escape, an unsafe number – is looked for in the parsed value, and only when the scan saw that
 * there could be one, so that ordinary frames cost one pass.
 *
 * Called by body.ts for HTTP and by session.ts for WebSocket frames.
 */

/** What one document may hold. */
export interface JsonLimits {
  /** How deep arrays and objects may nest; the outermost counts 1. */
  readonly depth: number;
  /** How many `key:` there may be in all objects together. */
  readonly keys: number;
}
export const JSON_LIMITS: JsonLimits = { depth: 32, keys: 1000 };

/**
 * - `malformed`: not JSON at all;
 * - `hostile`: JSON, but refused; `path` is dotted, empty for the whole document.
 */
export type Parsed =
  | { readonly is: 'value'; readonly value: unknown }
  | { readonly is: 'malformed'; readonly message: string }
  | { readonly is: 'hostile'; readonly message: string; readonly path: string };

/** Own properties of these names change what objects are when something copies them carelessly. */
const POISONED = new Set(['__proto__', 'constructor', 'prototype']);

/** ES2024's `isWellFormed`, which Node 20 has and the ES2023 library does not name. */
type WellFormed = string & { isWellFormed(): boolean };

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Parses `text` within `limits`. Never throws. */
export function parseJson(text: string, limits: JsonLimits = JSON_LIMITS): Parsed {
  const scanned = scan(text, limits);
  if (typeof scanned === 'string') return { is: 'hostile', message: scanned, path: '' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // V8's message quotes the text, which may hold a secret.
    return { is: 'malformed', message: 'The text is not JSON.' };
  }
  if (!scanned && (text as WellFormed).isWellFormed()) return { is: 'value', value };
  const found = search(value, '');
  return found === null ? { is: 'value', value } : { is: 'hostile', ...found };
}

/**
 * What is wrong with a text of its own (a query parameter, a header), or null: the same rule as for strings in JSON.
 */
export function textFault(text: string): string | null {
  if (text.includes('\0')) return 'must not contain NUL';
  if (!(text as WellFormed).isWellFormed()) return 'must not contain a lone surrogate';
  return null;
}

/**
 * The scan: why the text is refused, or whether the parsed value must be searched. Text that is no JSON may pass: the
 * parser says so afterwards.
 */
function scan(text: string, limits: JsonLimits): string | boolean {
  const length = text.length;
  let depth = 0;
  let keys = 0;
  let suspicious = false;
  let slash = text.indexOf('\\');
  let from = 0;
  let to = 0;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      from = i + 1;
      i = text.indexOf('"', from);
      while (i !== -1 && slash !== -1 && slash < i) {
        // A backslash and what it escapes; a `\u` may hide a NUL, half a pair or a poisoned key.
        if (slash >= from && text.charCodeAt(slash + 1) === 0x75) suspicious = true;
        const after = slash < from ? from : slash + 2;
        slash = text.indexOf('\\', after);
        if (after > i) i = text.indexOf('"', after);
      }
      if (i === -1) return false;
      to = i;
    } else if (c === COLON) {
      if (++keys > limits.keys) return `more than ${limits.keys} keys`;
      const size = to - from;
      if ((size === 9 || size === 11) && POISONED.has(text.slice(from, to))) suspicious = true;
    } else if (c === OPEN_OBJECT || c === OPEN_ARRAY) {
      if (++depth > limits.depth) return `nested deeper than ${limits.depth}`;
    } else if (c === CLOSE_OBJECT || c === CLOSE_ARRAY) {
      depth--;
    } else if (c === MINUS || (c >= ZERO && c <= NINE)) {
      const start = i;
      let plain = true;
      for (i++; i < length; i++) {
        const n = text.charCodeAt(i);
        if (n >= ZERO && n <= NINE) continue;
        if (n !== 0x2e && n !== 0x65 && n !== 0x45 && n !== 0x2b && n !== MINUS) break;
        plain = false;
      }
      // Fifteen digits are always safe; an exponent or a longer number is looked at once parsed.
      if (!plain || i - start > 15) suspicious = true;
      i--;
    }
  }
  return suspicious;
}

/** The first fault in a value whose depth is known to be bounded, or null. */
function search(value: unknown, path: string): { message: string; path: string } | null {
  if (typeof value === 'string') {
    const message = textFault(value);
    return message === null ? null : { message, path };
  }
  if (typeof value === 'number') {
    const safe = Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
    return safe ? null : { message: 'must be a safe integer or a finite fraction', path };
  }
  if (value === null || typeof value !== 'object') return null;
  const at = (key: string) => (path === '' ? key : `${path}.${key}`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const found = search(value[i], at(String(i)));
      if (found !== null) return found;
    }
    return null;
  }
  for (const [key, inner] of Object.entries(value)) {
    if (POISONED.has(key)) return { message: `the key ${key} is refused`, path: at(key) };
    const fault = textFault(key);
    if (fault !== null) return { message: `a key ${fault}`, path };
    const found = search(inner, at(key));
    if (found !== null) return found;
  }
  return null;
}
