/**
 * The frame of a committed change, encoded once for all who get the same one. A thousand readers of a company mostly
 * have the same subscription id and the same `prev`, so they share one frame, and publishing costs them a write each.
 * The router publishes one entry to everybody before the next, so remembering the last entry is enough.
 */
import type { Published } from '../supervisor/router.ts';
import { SharedFrame } from './text-frame.ts';

export class ChangeFrames {
  #of: Published | null = null;
  readonly #frames = new Map<string, SharedFrame>();
  #sub = '';
  #prev = -1;
  #kind = -1;
  #last: SharedFrame | null = null;

  /**
   * @param sub the subscription's id as JSON text.
   * @param prev the number last sent on it.
   */
  frame(p: Published, sub: string, prev: number, view: boolean, stamp: boolean): SharedFrame {
    const kind = (view ? 1 : 0) + (stamp ? 2 : 0);
    if (p !== this.#of) {
      this.#of = p;
      this.#frames.clear();
    } else if (this.#last && prev === this.#prev && kind === this.#kind && sub === this.#sub) {
      return this.#last;
    }
    const key = `${kind} ${prev} ${sub}`;
    let frame = this.#frames.get(key);
    if (frame === undefined) {
      frame = new SharedFrame(
        `{"t":"change","sub":${sub},"prev":${prev},"change":${p.text({ view, stamp })}}`,
      );
      this.#frames.set(key, frame);
    }
    this.#sub = sub;
    this.#prev = prev;
    this.#kind = kind;
    this.#last = frame;
    return frame;
  }
}
