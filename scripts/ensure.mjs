/**
 * Makes a clone runnable: installs what is missing, then builds what is older than its source. `npm start`, `npm test`
 * and `bin/baton.mjs` call it first, so that two commands on a fresh clone are enough. It may use nothing but Node's
 * own modules, for it runs before there are any others.
 *
 * E1 Where nothing is missing it reads a few files and returns: no network, no writing, no lock, any user.
 * E2 In a package (no lock file beside package.json) it does nothing: what was packed is all there is.
 * E3 Two at once: one works, the other waits and then finds nothing left to do.
 * E4 `node_modules` is replaced only when it disagrees with package-lock.json, never because a stamp is absent.
 * E5 A stamp is written last, so a run that was cut short is done again.
 *
 * Usage: `node scripts/ensure.mjs [--build]`; `--build` builds even where nothing has changed.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const LOCK_FILE = join(ROOT, 'package-lock.json');
const INSTALLED_STAMP = join(ROOT, 'node_modules', '.baton-lock');
const BUILT_STAMP = join(ROOT, 'dist', '.baton-build');
const BUSY = join(ROOT, '.baton-ensure');

/** Whoever holds the lock touches it this often; untouched for `BUSY_STALE_MS` its holder is gone (killed, rebooted). */
const BUSY_TOUCH_MS = 2_000;
const BUSY_STALE_MS = 20_000;
const BUSY_POLL_MS = 200;

/** Something a person can put right: shown as it is, without a stack. */
class Unmet extends Error {}

/** Installs and builds what this clone lacks. `build`: build in any case. */
async function ensure({ build = false } = {}) {
  checkNode();
  if (!existsSync(LOCK_FILE)) return;
  if (!build && installed() && built()) return;
  const done = await takeTurn();
  try {
    if (!installed()) await install();
    if (build || !built()) await compile();
  } finally {
    done();
  }
}

function checkNode() {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= OLDEST_NODE) return;
  throw new Unmet(
    `baton needs Node ${OLDEST_NODE} or newer; this is Node ${process.versions.node}.\n` +
      'Install a current one from https://nodejs.org or with your version manager (nvm install 22), then try again.',
  );
}

// -- installed ---------------------------------------------------------------------------------------------------

function installed() {
  const wanted = readText(LOCK_FILE);
  if (readText(INSTALLED_STAMP) === hashOf(wanted)) return true;
  if (!agrees(wanted)) return false;
  try {
    stampInstalled();
  } catch {
    // A read-only clone: the comparison is made again next time, which costs a few milliseconds.
  }
  return true;
}

/** Whether npm's own record of what it installed is what package-lock.json asks for; what is optional may be absent. */
function agrees(wanted) {
  try {
    const want = JSON.parse(wanted).packages;
    const have = JSON.parse(readText(join(ROOT, 'node_modules', '.package-lock.json'))).packages;
    const missing = (path) => (want[path].optional || want[path].devOptional) && have[path] === undefined;
    const same = (path) =>
      have[path]?.version === want[path].version && have[path]?.integrity === want[path].integrity;
    return Object.keys(want).every((path) => path === '' || same(path) || missing(path));
  } catch {
    return false;
  }
}

async function install() {
  say('installing dependencies (npm ci)');
  // A dry run or an --omit of the command that called us must not become one of ours.
  const env = { ...process.env, NODE_ENV: 'development' };
  for (const name of Object.keys(env)) {
    if (/^npm_config_(dry_run|omit|only|production|global|json|package|call)$/i.test(name)) delete env[name];
  }
  const [command, args] = npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  const code = await run(command, args, { env });
  if (code !== 0) {
    throw new Unmet(
      `npm ci ended with ${code}; what it says is above. Most often:\n` +
        '  · no network, or a proxy: `npm ping` must succeed, `npm config get registry` must name a registry you can reach\n' +
        '  · no right to write here: run as the owner of this folder\n' +
        '  · package.json and package-lock.json disagree: `npm install` brings them together\n' +
        'Then run the same command again.',
    );
  }
  stampInstalled();
}

function stampInstalled() {
  linkBin();
  writeFileSync(INSTALLED_STAMP, hashOf(readText(LOCK_FILE)));
}

/** How to call the npm that called us, else the one on the PATH. */
function npm(args) {
  const caller = process.env.npm_execpath ?? '';
  const cli = caller.replace(/npx-cli\.js$/, 'npm-cli.js');
  if (cli.endsWith('npm-cli.js') && existsSync(cli)) return [process.execPath, [cli, ...args]];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm', args];
}

/** `node_modules/.bin/baton`, which npm makes for dependencies only: for scripts and for people. */
function linkBin() {
  if (process.platform === 'win32') return;
  const link = join(ROOT, 'node_modules', '.bin', 'baton');
  rmSync(link, { force: true });
  symlinkSync('../../bin/baton.mjs', link);
}

// -- built -------------------------------------------------------------------------------------------------------

function built() {
  return readText(BUILT_STAMP) === sourceHash();
}

/** One hash over everything that decides what dist holds. */
function sourceHash() {
  const hash = createHash('sha256');
  const files = [
    ...filesUnder(join(ROOT, 'src')),
    ...filesUnder(join(ROOT, 'web')),
    join(ROOT, 'tsconfig.json'),
    join(ROOT, 'tsconfig.build.json'),
    join(ROOT, 'scripts', 'copy-sql.mjs'),
    LOCK_FILE,
  ];
  for (const file of files) hash.update(`${relative(ROOT, file)}\0${readText(file)}\0`);
  return hash.digest('hex');
}

async function compile() {
  say('building (tsc, vite)');
  const before = sourceHash();
  rmSync(BUILT_STAMP, { force: true });
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  await must('tsc', [tsc, '-p', join(ROOT, 'tsconfig.build.json')]);
  await must('copying the migrations', [join(ROOT, 'scripts', 'copy-sql.mjs')]);
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  await must('vite', [vite, 'build', join(ROOT, 'web'), '--logLevel', 'warn']);
  dropOrphans();
  writeFileSync(BUILT_STAMP, before);
}

async function must(what, args) {
  const code = await run(process.execPath, args);
  if (code !== 0)
    throw new Unmet(`${what} ended with ${code}; what it says is above. Mend that and try again.`);
}

/**
 * Removes from dist what an earlier build made of sources that are gone, old migrations included. Vite does it itself
 * in dist/web.
 */
function dropOrphans() {
  const dist = join(ROOT, 'dist');
  for (const file of filesUnder(dist)) {
    if (relative(dist, file).split(sep)[0] === 'web') continue;
    const source = join(ROOT, 'src', relative(dist, file)).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
    if (!existsSync(source)) rmSync(file);
  }
}

// -- one at a time -----------------------------------------------------------------------------------------------

/** Waits until nobody else installs or builds here, and answers how to let the next one in. */
async function takeTurn() {
  let told = false;
  while (!claim()) {
    if (abandoned()) continue;
    if (!told)
      say(`waiting for another baton that is installing or building here (${relative(process.cwd(), BUSY)})`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, BUSY_POLL_MS));
  }
  const touching = setInterval(() => touch(), BUSY_TOUCH_MS);
  const done = () => {
    clearInterval(touching);
    rmSync(BUSY, { force: true });
  };
  const stopped = (signal) => {
    working?.kill(signal);
    done();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', stopped).once('SIGTERM', stopped);
  return () => {
    process.off('SIGINT', stopped).off('SIGTERM', stopped);
    done();
  };
}

function claim() {
  try {
    const file = openSync(BUSY, 'wx');
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
    throw new Unmet(
      `something has to be installed or built, but ${ROOT} cannot be written to (${error.code}).\n` +
        'Run `npm ci && npm run build` there once as its owner, or take a copy of the folder that is yours.',
    );
  }
}

function touch() {
  try {
    const now = new Date();
    utimesSync(BUSY, now, now);
  } catch {
    // Somebody removed it by hand: they wanted it gone.
  }
}

/** Takes away the lock of somebody who died holding it; true when it is worth trying again at once. */
function abandoned() {
  try {
    const seen = statSync(BUSY);
    if (Date.now() - seen.mtimeMs < BUSY_STALE_MS) return false;
    // Renamed first, so that of two who see the same dead lock only one removes it, and never a new one.
    const aside = `${BUSY}.${process.pid}`;
    renameSync(BUSY, aside);
    if (statSync(aside).mtimeMs !== seen.mtimeMs) renameSync(aside, BUSY);
    else rmSync(aside, { force: true });
    return true;
  } catch (error) {
    if (error.code === 'ENOENT') return true;
    throw error;
  }
}

// -- leaves ------------------------------------------------------------------------------------------------------

/** What `run` is running: it must not outlive us. */
let working = null;

/** Runs to the end and answers the exit code. Its output goes to our stderr: stdout belongs to whoever called. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const shell = command.endsWith('.cmd');
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 2, 2], shell, ...options });
    working = child;
    child.on('error', (error) => reject(new Unmet(`${command} could not be run: ${error.message}`)));
    child.on('close', (code, signal) => {
      working = null;
      resolve(code ?? signal);
    });
  });
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort((a, b) => (a.split(sep).join('/') < b.split(sep).join('/') ? -1 : 1));
}

/** The text of a file, empty where there is none. */
function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

function hashOf(text) {
  return createHash('sha256').update(text).digest('hex');
}

function say(text) {
  process.stderr.write(`baton: ${text}\n`);
}

/** `ensure`, with what a person can put right said plainly. */
export async function ensured(options) {
  try {
    await ensure(options);
  } catch (error) {
    if (!(error instanceof Unmet)) throw error;
    say(error.message);
    process.exit(1);
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await ensured({ build: process.argv.includes('--build') });
}
