/**
 * What is wrong with a field, in words. zod says it for whoever wrote the schema ("Too small: expected string to have >=1
 * characters"); whoever sent the field may not know one. A message of a schema's own is left as it is, and so is one of
 * zod's that is not known here: the words may be missed, what is refused never changes. Pure.
 */

const TYPES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
  null: 'null',
  NaN: 'no number',
};

/** The beginning of zod's message (locale en, zod 4) → our words for it. */
const WORDS: readonly [RegExp, (...parts: string[]) => string][] = [
  [/^Invalid input: expected .+, received undefined$/, () => 'is missing'],
  [/^Invalid input: expected int, received number$/, () => 'must be a whole number'],
  [
    /^Invalid input: expected (\w+), received (\w+)$/,
    (expected = '', received = '') =>
      `must be ${TYPES[expected] ?? expected}, not ${TYPES[received] ?? received}`,
  ],
  [/^Invalid input: expected (.+)$/, (value = '') => `must be ${value}`],
  [
    /^Invalid option: expected one of (.+)$/s,
    (values = '') => `must be one of ${values.replaceAll('|', ', ')}`,
  ],
  [
    /^Invalid discriminator value\. Expected (.+)$/s,
    (values = '') => `must be one of ${values.replaceAll("'", '"').replaceAll(' | ', ', ')}`,
  ],
  [/^Too small: expected \w+ to have >=1 \w+$/, () => 'must not be empty'],
  [/^Too small: expected \w+ to have >=(\d+ \w+)$/, (least = '') => `must have at least ${least}`],
  [/^Too big: expected \w+ to have <=(\d+ \w+)$/, (most = '') => `must have at most ${most}`],
  [/^Too small: expected \w+ to be >=(\S+)$/, (least = '') => `must be at least ${least}`],
  [/^Too big: expected \w+ to be <=(\S+)$/, (most = '') => `must be at most ${most}`],
  [/^Unrecognized keys?: (.+)$/s, (keys = '') => `there is no field ${keys}`],
  [/^Invalid string: (must match pattern .+)$/s, (rule = '') => rule],
];

export function fieldWords(message: string): string {
  for (const [pattern, words] of WORDS) {
    const found = pattern.exec(message);
    if (found !== null) return words(...found.slice(1));
  }
  return message;
}
