/** A start that fails while its database is away leaves nothing behind that goes on trying. */
import { createServer, type Server } from 'node:net';
import pino from 'pino';
import { afterEach, expect, it } from 'vitest';
import { resolveSettings } from '../../src/config.ts';
import { createRuntime } from '../../src/index.ts';
import { temporaryDirectory } from '../support/postgres.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

it('a server that cannot listen asks for its database no more once it has said so', async () => {
  const directory = await temporaryDirectory();
  let asked = 0;
  const database = await listening(
    createServer((socket) => {
      asked++;
      socket.destroy();
    }),
  );
  const taken = await listening(createServer());
  const { settings } = resolveSettings({
    flags: {
      port: String(taken),
      'data-dir': directory.path,
      'database-url': `postgresql://baton@127.0.0.1:${database}/baton`,
      log: 'fatal',
    },
    env: {},
    file: {},
  });
  const start = createRuntime(settings, { log: pino({ level: 'silent' }), say: () => {} });
  await expect(start).rejects.toThrow(/EADDRINUSE/);
  const before = asked;
  expect(before).toBeGreaterThan(0);
  // Three times the wait between two tries.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(asked).toBe(before);
  await directory.remove();
});
