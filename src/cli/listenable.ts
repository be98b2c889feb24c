/** Whether a server could listen there now: asked before anything is made for it. Its own listening decides. */
import { createServer } from 'node:net';

/** What the system says against it, with its code (`EADDRINUSE`, `EACCES`, `ENOTFOUND` …); null: nothing. */
export function listenError(host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}
