/** Text as the protocol can carry it (docs/protocol.md, conventions). */

/**
 * No NUL and no half of a surrogate pair: a visible sign stands for each. Other control characters stay, they are data.
 * @param most UTF-16 units that are kept; a pair is never cut in two
 */
export function storable(text: string, most = Number.POSITIVE_INFINITY): string {
  const cut = text.length > most ? text.slice(0, most).replace(/[\ud800-\udbff]$/, '') : text;
  return cut.replaceAll('\0', '\u2400').replace(/\p{Surrogate}/gu, '\ufffd');
}
