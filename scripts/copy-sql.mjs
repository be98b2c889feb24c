/** Puts the migrations beside the compiled code, which reads them from its own folder (src/persistence/migrate.ts). */
import { cpSync } from 'node:fs';

const from = new URL('../src/persistence/migrations/', import.meta.url);
const to = new URL('../dist/persistence/migrations/', import.meta.url);
cpSync(from, to, { recursive: true });
