/**
 * Hands the stream to Stately's inspector in a frame. The frame says `@statelyai.connected`, after every load of its own;
 * it is then sent every actor with its latest snapshot, the last events, and what follows.
 *
 * - BR1 Only that frame, on that origin, is listened to: a message of anybody else does nothing.
 * - BR2 Everything is sent to that origin and to no other: a frame that went elsewhere gets nothing.
 */
import type { Inspected, Stream } from './stream.ts';

/** What of a window is needed. */
export interface Speaker {
  postMessage(message: unknown, targetOrigin: string): void;
}

/** @returns what ends it. */
export function bridge(options: {
  frame: () => Speaker | null;
  origin: string;
  stream: Pick<Stream, 'latest' | 'listen'>;
  /** It has been connected, for the first time or anew. */
  connected(): void;
}): () => void {
  const { frame, origin, stream, connected } = options;
  let isConnected = false;
  const send = (object: Inspected) => frame()?.postMessage(object, origin);
  const hear = (message: MessageEvent) => {
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
  window.addEventListener('message', hear);
  return () => {
    window.removeEventListener('message', hear);
    unlisten();
  };
}
