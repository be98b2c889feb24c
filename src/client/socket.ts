/**
 * Where sockets come from: the platform's own WebSocket in browsers (and Node from 22), the `ws` package in Node 20.
 * Only what both have is used.
 */

export interface SocketLike {
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

export type SocketOpener = (url: string, protocol: string) => Promise<SocketLike>;

type SocketClass = new (url: string, protocol: string, options?: object) => SocketLike;

export const openSocket: SocketOpener = async (url, protocol) => {
  const Socket = (globalThis as { WebSocket?: SocketClass }).WebSocket ?? (await socketOfNode());
  // Frames are small and many: compressing each costs more than it saves. Browsers ignore the third argument.
  return new Socket(url, protocol, { perMessageDeflate: false });
};

async function socketOfNode(): Promise<SocketClass> {
  // The name is a variable so that no bundler resolves `ws` into a browser's bundle.
  const packageName = 'ws';
  const { WebSocket } = (await import(/* @vite-ignore */ packageName)) as { WebSocket: SocketClass };
  return WebSocket;
}

/** The server's address as HTTP and as WebSocket. Accepts http, https, ws and wss; a path is kept as a prefix. */
export function addressesOf(url: string): { http: string; ws: string } {
  const base = url.replace(/\/+$/, '').replace(/^ws/, 'http');
  return { http: base, ws: `${base.replace(/^http/, 'ws')}/v1/ws` };
}
