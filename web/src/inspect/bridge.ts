/**
 * Hands the stream to Stately's inspector in a frame. The frame says `@statelyai.connected`, after every load of its own;
 * it is then sent every actor with its latest snapshot, the last events, and what follows.
 *
 * - BR1 Only that frame, on that origin, is listened to: a message of anybody else does nothing.
 * - BR2 Everything is sent to that origin and to no other: a frame that went elsewhere gets nothing.
 */
import type { Inspected } from './inspected.ts';

/** What of a window is needed. */
export interface Speaker {
  postMessage(message: unknown, targetOrigin: string): void;
}

/** A message as a window hears it. */
interface Heard {
  readonly source: unknown;
  readonly origin: string;
  readonly data: unknown;
}

/** @returns what ends it. */
export function bridge(options: {
  /** The page's own window. */
  page: {
    addEventListener(type: 'message', f: (message: Heard) => void): void;
    removeEventListener(type: 'message', f: (message: Heard) => void): void;
  };
  frame: () => Speaker | null;
  origin: string;
  stream: {
    latest(): readonly Inspected[];
    listen(f: (object: Inspected) => void): () => void;
  };
  /** It has been connected, for the first time or anew. */
  connected(): void;
}): () => void {
  const { page, frame, origin, stream, connected } = options;
  let isConnected = false;
  const send = (object: Inspected) => frame()?.postMessage(object, origin);
  const hear = (message: Heard) => {
    if (message.source === null || message.source !== frame() || message.origin !== origin) return;
    const { type } = (message.data ?? {}) as { type?: unknown };
    if (type !== '@statelyai.connected') return;
    isConnected = true;
    connected();
    for (const object of stream.latest()) send(object);
  };
  const unlisten = stream.listen((object) => {
    if (isConnected) send(object);
  });
  page.addEventListener('message', hear);
  return () => {
    page.removeEventListener('message', hear);
    unlisten();
  };
}
