/** Defects of the data dir and its database, and the scenarios that show them (guarantees.md, P16). */
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { lockDataDir } from '../../src/persistence/data-dir-lock.ts';
import { openDatabase } from '../../src/persistence/embedded-postgres.ts';
import { alive } from '../../src/persistence/os-process.ts';
import { Postmaster } from '../../src/persistence/postmaster.ts';
import { replaced } from '../simulation/mutants/mutant.ts';
import { temporaryDirectory } from '../support/postgres.ts';
import type { Scenario, ScenarioMutant } from './scenario-mutant.ts';

/** A data dir that a living process uses is asked for again. */
const secondServer: Scenario = {
  name: 'second server',
  tests: 'test/mutants',
  async run() {
    const directory = await temporaryDirectory();
    const unlock = await lockDataDir(directory.path);
    try {
      const again = await lockDataDir(directory.path).catch(() => null);
      again?.();
      return again === null ? [] : ['a second server was let into a data dir that is in use'];
    } finally {
      unlock();
      await directory.remove();
    }
  },
};

/** As it is before any mutant: what a defect leaves running would be started again by its Postmaster for ever. */
const { stop: reallyStop } = Postmaster.prototype;

/** The embedded database is started and stopped: no process of it is left. */
const stoppedDatabase: Scenario = {
  name: 'stopped database',
  tests: 'test/mutants',
  async run() {
    const directory = await temporaryDirectory();
    const started: Postmaster[] = [];
    const restore = replaced(
      Postmaster.prototype,
      'start',
      (start) =>
        function (this: Postmaster) {
          started.push(this);
          return start.call(this);
        },
    );
    try {
      const database = await openDatabase({ dataDir: directory.path, log: () => {} });
      const pidFile = join(database.place!, 'postmaster.pid');
      const pid = Number.parseInt(await files.readFile(pidFile, 'utf8'), 10);
      await database.stop();
      return alive(pid) ? [`the database process ${pid} is left behind`] : [];
    } finally {
      restore();
      await Promise.all(started.map((postmaster) => reallyStop.call(postmaster)));
      await directory.remove();
    }
  },
};

export const DATA_DIR_MUTANTS: readonly ScenarioMutant[] = [
  {
    name: 'lock-written-over',
    breaks: 'the lock of a data dir is written, whether somebody has it or not',
    killedBy: 'P16',
    scenario: secondServer,
    patch: () => {
      const restore = replaced(files, 'link', () => files.copyFile);
      syncBuiltinESMExports();
      return () => {
        restore();
        syncBuiltinESMExports();
      };
    },
  },
  {
    name: 'database-outlives-its-server',
    breaks: 'a server that stops leaves its database running',
    killedBy: 'P16',
    scenario: stoppedDatabase,
    patch: () => replaced(Postmaster.prototype, 'stop', () => async () => {}),
  },
];
