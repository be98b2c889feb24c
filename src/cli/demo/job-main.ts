/**
 * The process behind one run of the demo: `node job-main.js checksum`, started by `baton work`. It ends when the process
 * that started it does: a worker that was killed cannot take its jobs with it, and a demo must leave nothing behind.
 */
import { systemClock } from '../../clock.ts';
import { JOBS, type JobName } from './jobs.ts';

const LOOK_MS = 200;

const clock = systemClock();
const parent = process.ppid;
const look = () => {
  if (process.ppid !== parent) process.exit(1);
  clock.after(LOOK_MS, look);
};
look();

try {
  const job = JOBS[process.argv[2] as JobName];
  await job({ clock, env: process.env, print: (line) => console.log(line) });
  process.exit(0);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
