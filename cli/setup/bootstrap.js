// Plain JavaScript without dependencies: in a fresh clone there is nothing else to run it with yet.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exclusive } from './exclusive.js';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

const oldestNode = [20, 19];
const modules = join(root, 'node_modules');
/** Written last, so that an interrupted installation is done again. Holds the hash of what was installed. */
const marker = join(modules, '.flywheel-installed');
const queueDir = join(root, '.flywheel', 'npm-install.queue');

/** A sentence for the user, without a stack trace. */
export class SetupError extends Error {}

/** Progress goes to stderr: a command's own output stays clean. */
export function note(line) {
  process.stderr.write(`${line}\n`);
}

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new SetupError(
    `Flywheel needs Node.js ${oldestNode.join('.')} or newer, and this is ${process.versions.node}: install a newer one.`,
  );
}

/** Installs the npm packages when they are missing or the lock file changed; else costs a millisecond. */
export async function ensureNodePackages() {
  if (isInstalled()) return;
  const wait = () => note('Another set-up is installing the npm packages; waiting for it.');
  await exclusive(queueDir, wait, async () => {
    if (!isInstalled()) await install();
  });
}

function wanted() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return hash.update(`${process.platform}-${process.arch}`).digest('hex');
}

function isInstalled() {
  return existsSync(marker) && readFileSync(marker, 'utf8') === wanted();
}

async function install() {
  note('Installing the npm packages (about 280, from package-lock.json): half a minute to two, once.');
  const installing = wanted();
  const started = Date.now();
  const ticker = setInterval(() => note(`Installing the npm packages: ${seconds(started)} s`), 15_000);
  try {
    await npmCi();
  } finally {
    clearInterval(ticker);
  }
  writeFileSync(marker, installing);
  note(`npm packages installed in ${seconds(started)} s.`);
}

async function npmCi() {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const child = spawn(npm, ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = [];
  child.stdout.on('data', (chunk) => output.push(chunk));
  child.stderr.on('data', (chunk) => output.push(chunk));
  const code = await new Promise((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', () => reject(new SetupError('npm is missing: install Node.js together with npm.')));
  });
  if (code === 0) return;
  const tail = Buffer.concat(output).toString('utf8').trim().split('\n').slice(-15).join('\n');
  throw new SetupError(`The npm packages could not be installed; npm says:\n${tail}`);
}

function seconds(since) {
  return Math.round((Date.now() - since) / 1000);
}
