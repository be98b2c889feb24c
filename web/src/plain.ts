/**
 * Text from outside as it is drawn. Titles, names, notes, errors and logs are written by anybody: the characters that turn
 * the direction of writing (U+202A–U+202E, U+2066–U+2069) could make `ACME-1` stand where it does not belong, or a title
 * read as another, and control characters cannot be seen. Each becomes a visible `�`, as on a terminal (src/cli/terminal.ts).
 * Letters of a script that is written from right to left, and the marks that help them, stay: what is around them is kept
 * apart from them by `<bdi>` and `unicode-bidi: isolate`.
 *
 * - PT1 It is done where elements are made, so no page can forget it; `document.title` is no element and asks for it.
 * - PT2 What is typed into a field is the viewer's own and is left alone.
 */
import { options } from 'preact';

/** All control characters but those that lay text out. */
const TURNING = /(?![\t\n\r])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Attributes that are shown or read aloud. */
const SPOKEN = ['title', 'aria-label', 'aria-valuetext', 'placeholder', 'alt'] as const;

export function plain(text: string): string {
  return text.replace(TURNING, '�');
}

/** From now on every text that is drawn is plain. */
export function drawPlainly(): void {
  const before = options.vnode;
  options.vnode = (vnode) => {
    // Text is a node without a type, whose text is what others have as properties.
    const node = vnode as { type: unknown; props: unknown };
    if (typeof node.props === 'string') node.props = plain(node.props);
    else if (typeof node.type === 'string') plainly(node.props as Record<string, unknown>);
    before?.(vnode);
  };
}

function plainly(props: Record<string, unknown>): void {
  for (const name of SPOKEN) {
    const value = props[name];
    if (typeof value === 'string') props[name] = plain(value);
  }
}
