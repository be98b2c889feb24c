/** Opens the data dir given as argument and says so to its parent; for tests that kill the owner of a database. */
import { createServer } from 'vite';

const vite = await createServer({
  server: { middlewareMode: true, ws: false },
  logLevel: 'error',
  appType: 'custom',
});
const { openDatabase } = await vite.ssrLoadModule('/src/persistence/embedded-postgres.ts');
try {
  const database = await openDatabase({ dataDir: process.argv[2], log: () => {} });
  process.on('SIGTERM', async () => {
    await database.stop();
    process.exit(0);
  });
  process.send({ url: database.url });
} catch (error) {
  process.send({ error: String(error) });
}
